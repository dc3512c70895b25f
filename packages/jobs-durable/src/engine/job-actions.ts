import { requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import type { StoredJob, StoredJobState } from "../backend/stored-job.ts";
import type { BoundedBackend } from "./bounded-backend.ts";
import type { CancelAllQuery, RedriveAllQuery } from "./jobs-query.ts";
import { isJobId, requireListing, requireMoment, requireStorableText } from "./validation.ts";

/** How many jobs one call of the store is about, so that it is never held for long. */
const portion = 200;

/** How many jobs are listed at once to look for some of them. */
const candidates = 1_000;

/** The jobs that `all` finds. */
interface Found {
  readonly jobName: string | undefined;
  readonly state: StoredJobState;
  readonly limit: number;
  /** @default all */
  readonly isWanted?: ((job: StoredJob) => boolean) | undefined;
}

/** Acts on jobs that are stored. */
export class JobActions<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #backend: Pick<JobBackend, "name" | "capabilities">;
  readonly #store: BoundedBackend<Job, Options>;
  readonly #onCancelled: (jobId: string) => void;

  /** `onCancelled` hears of each job that `cancel` was called for, and for which `cancelAll` has done something. */
  constructor(
    backend: Pick<JobBackend, "name" | "capabilities">,
    store: BoundedBackend<Job, Options>,
    onCancelled: (jobId: string) => void,
  ) {
    this.#backend = backend;
    this.#store = store;
    this.#onCancelled = onCancelled;
  }

  async cancel(jobId: string): Promise<boolean> {
    if (!this.#mayBeStored(jobId)) return false;
    const isCancelled = await this.#store.cancel(jobId);
    this.#onCancelled(jobId);
    return isCancelled;
  }

  async redrive(jobId: string): Promise<boolean> {
    return this.#mayBeStored(jobId) && this.#store.redrive(jobId);
  }

  async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    const mayBeStored = this.#mayBeStored(jobId);
    requireMoment("`runAt`", runAt);
    requireListing(this.#backend);
    return mayBeStored && this.#store.reschedule(jobId, new Date(runAt));
  }

  /** @throws TypeError for an id that is no text. Error if the engine is closed. */
  #mayBeStored(jobId: string): boolean {
    this.#store.requireOpen();
    return isJobId(jobId);
  }

  async cancelAll(query: CancelAllQuery): Promise<number> {
    requireKnownKeys("the query", query, ["jobName", "limit"]);
    const { jobName, limit = Number.POSITIVE_INFINITY } = query;
    requireStorableText("`jobName`", jobName);
    if (query.limit !== undefined) requireWholeNumber("`limit`", limit);
    requireListing(this.#backend);
    let done = 0;
    // In this order, a job that starts meanwhile is found among those that run.
    for (const state of ["scheduled", "waiting", "running"] as const) {
      const found = { jobName, state, limit: limit - done };
      done += await this.#all(found, async (name, ids) => {
        const cancelled = await this.#store.cancelAll(name, ids);
        for (const id of cancelled) this.#onCancelled(id);
        return cancelled.length;
      });
    }
    return done;
  }

  async redriveAll(query: RedriveAllQuery = {}): Promise<number> {
    requireKnownKeys("the query", query, ["jobName", "error", "limit"]);
    const { jobName, error, limit = Number.POSITIVE_INFINITY } = query;
    if (jobName !== undefined) requireStorableText("`jobName`", jobName);
    if (error !== undefined) requireStorableText("`error`", error);
    if (query.limit !== undefined) requireWholeNumber("`limit`", limit);
    requireListing(this.#backend);
    const hasError = ({ errors }: StoredJob): boolean =>
      errors[0]?.message.includes(error as string) === true;
    const isWanted = error === undefined ? undefined : hasError;
    const found = { jobName, state: "dead-lettered", limit, isWanted } as const;
    return this.#all(found, async (name, ids) => (await this.#store.redriveAll(name, ids)).length);
  }

  /** Acts on all jobs, portion by portion. Resolves to how many were done. A job that comes into the state again is not visited twice. */
  async #all(
    { jobName, state, limit, isWanted }: Found,
    act: (jobName: string, ids: readonly string[]) => Promise<number>,
  ): Promise<number> {
    let done = 0;
    let position: readonly string[] | undefined;
    do {
      const left = limit - done;
      if (left <= 0) break;
      const listed = isWanted === undefined ? Math.min(portion, left) : candidates;
      const page = await this.#store.jobs({ jobName, state, limit: listed, position, withPayload: false });
      position = page.position;
      const wanted = isWanted === undefined ? page.jobs : page.jobs.filter(isWanted);
      let size = 0;
      for (let start = 0; start < wanted.length && done < limit; start += size) {
        size = Math.min(portion, limit - done);
        const byName = new Map<string, string[]>();
        for (const job of wanted.slice(start, start + size)) {
          byName.set(job.jobName, [...(byName.get(job.jobName) ?? []), job.id]);
        }
        for (const [name, ids] of byName) done += await act(name, ids);
      }
    } while (position !== undefined);
    return done;
  }
}
