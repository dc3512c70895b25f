import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { StoredJobProgress } from "../backend/stored-job.ts";
import { withDeadline } from "../errors/deadline.ts";

/** How often the progress of one job is saved at most. */
const saveEveryMs = 1_000;

/** Saves a progress of a job in the store. */
export type SaveProgress<Job extends LeasedJob> = (job: Job, progress: StoredJobProgress) => Promise<void>;

/** Returns how a consumer saves progress, in bounded time. Undefined if it saves none. */
export function savingProgress<Job extends LeasedJob>(
  consumer: JobConsumer<Job>,
  leaseMs: number,
): SaveProgress<Job> | undefined {
  const save = consumer.saveProgress?.bind(consumer);
  if (save === undefined) return undefined;
  return (job, progress) => withDeadline(save(job, progress), leaseMs / 3, "the server", "saving progress");
}

/** Saves the progress of one job: the first report at once, and then the last one, at most once a second. */
export class ProgressSaver {
  /** The last report. The outcome of the job takes it along. */
  last: StoredJobProgress | undefined;
  readonly #save: (progress: StoredJobProgress) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #isSaved = true;
  #isPausing = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(save: (progress: StoredJobProgress) => Promise<void>, onError: (error: unknown) => void) {
    this.#save = save;
    this.#onError = onError;
  }

  report(progress: StoredJobProgress): void {
    this.last = progress;
    this.#isSaved = false;
    if (!this.#isPausing) this.#saveLast(progress);
  }

  /** Saves the last report, and then pauses. Never rejects. A report that could not be saved is not saved again: a later one is. */
  async #saveLast(progress: StoredJobProgress): Promise<void> {
    this.#isPausing = true;
    this.#isSaved = true;
    const endMs = performance.now() + saveEveryMs;
    try {
      await this.#save(progress);
    } catch (error) {
      this.#onError(error);
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#endPause(), Math.max(0, endMs - performance.now()));
  }

  #endPause(): void {
    this.#isPausing = false;
    if (!this.#isSaved && this.last !== undefined) this.#saveLast(this.last);
  }

  /** The handler has ended. Its outcome saves the last report. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
