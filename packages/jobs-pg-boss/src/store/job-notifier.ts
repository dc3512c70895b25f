import { AsyncResource } from "node:async_hooks";

/** After how long without a notification the next one goes with the statement that stores the job. */
const quietMs = 100;

/** The shortest time between two statements that notify. */
const paceMs = 20;

/**
 * Decides how other processes are told of jobs. PostgreSQL lets one transaction that notifies commit at a time, which waits for the disk.
 * So only a process that was quiet notifies with the statement that stores a job. A busy process tells of all jobs of the last
 * milliseconds at once, by a statement that stores nothing and waits for no disk.
 */
export class JobNotifier {
  readonly #send: (queues: readonly string[]) => Promise<unknown>;
  /** Timers and statements belong to the engine, and not to the caller who stores a job. */
  readonly #context = new AsyncResource("nidus.JobNotifier");
  readonly #pending = new Set<string>();
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (queues: readonly string[]) => Promise<unknown>) {
    this.#send = send;
  }

  /** Whether the next statement notifies by itself. If not, call `stored` after it. */
  takeQuiet(): boolean {
    const now = performance.now();
    if (now - this.#sentAtMs < quietMs || this.#pending.size > 0) return false;
    this.#sentAtMs = now;
    return true;
  }

  /** A job was stored in a queue by a statement that did not notify. */
  stored(queue: string): void {
    this.#pending.add(queue);
    if (this.#timer !== undefined || this.#sending !== undefined) return;
    const inMs = this.#sentAtMs + paceMs - performance.now();
    this.#context.runInAsyncScope(() => {
      if (inMs <= 0) this.#flush();
      else this.#timer = setTimeout(() => this.#flush(), inMs);
    });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const queues = [...this.#pending];
    this.#pending.clear();
    this.#sentAtMs = performance.now();
    // If it fails, workers find the jobs by polling.
    this.#sending = this.#send(queues).then(
      () => this.#sent(),
      () => this.#sent(),
    );
  }

  #sent(): void {
    this.#sending = undefined;
    const [queue] = this.#pending;
    if (queue !== undefined) this.stored(queue);
  }

  /** Tells of the last jobs. Never rejects. */
  async close(): Promise<void> {
    await this.#sending;
    if (this.#pending.size > 0) this.#flush();
    await this.#sending;
  }
}
