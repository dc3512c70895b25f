import { AsyncResource } from "node:async_hooks";

/**
 * After how long without a notification the next one goes with the statement that stores the job, which is soonest. A process that stores
 * jobs less often than this tells of each one at once. It has the server's lock for notifications for some percent of the time.
 */
const quietMs = 25;

/** The shortest time between two statements that notify. */
const paceMs = 50;

/** How many transactions of callers notify in a second, and at once after a pause. */
const perSecond = 20;

/** When transactions that did not notify have probably committed. If not, the next poll finds their jobs. */
const committedAfterMs = 200;

/**
 * Decides how other processes are told of jobs. PostgreSQL lets one transaction that notifies commit at a time, and each of them waits
 * for the disk: if every statement notified, 50 enqueues at a time took six times as long. So only a process that was quiet notifies
 * with the statement that stores a job. A busy process tells of all jobs of the last milliseconds at once, by a statement that stores
 * nothing, and so waits for no disk.
 */
export class JobNotifier {
  readonly #send: (payloads: readonly string[]) => Promise<unknown>;
  /** Timers and statements belong to the engine, and not to the caller who stores a job. */
  readonly #context = new AsyncResource("JobNotifier");
  readonly #pending = new Set<string>();
  readonly #uncommitted = new Set<string>();
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #transactionsLeft = perSecond;
  #countedAtMs = performance.now();
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #uncommittedTimer: NodeJS.Timeout | undefined;

  /** Takes the function that notifies by a statement of its own. */
  constructor(send: (payloads: readonly string[]) => Promise<unknown>) {
    this.#send = send;
  }

  /** Whether the next statement notifies by itself. If not, call `stored` after it. */
  takeQuiet(): boolean {
    const now = performance.now();
    if (now - this.#sentAtMs < quietMs || this.#pending.size > 0) return false;
    this.#sentAtMs = now;
    return true;
  }

  /** Whether a statement in a caller's transaction notifies. If not, call `storedInTransaction` after it. */
  takeInTransaction(): boolean {
    const now = performance.now();
    const gained = ((now - this.#countedAtMs) / 1000) * perSecond;
    this.#transactionsLeft = Math.min(this.#transactionsLeft + gained, perSecond);
    this.#countedAtMs = now;
    if (this.#transactionsLeft < 1) return false;
    this.#transactionsLeft--;
    return true;
  }

  /** A job was stored by a statement that did not notify. */
  stored(payload: string): void {
    this.#pending.add(payload);
    if (this.#timer !== undefined || this.#sending !== undefined) return;
    const inMs = this.#sentAtMs + paceMs - performance.now();
    this.#context.runInAsyncScope(() => {
      if (inMs <= 0) this.#flush();
      else this.#timer = setTimeout(() => this.#flush(), inMs);
    });
  }

  /** A job was stored in a transaction that does not notify. It may commit now, or later. */
  storedInTransaction(payload: string): void {
    this.stored(payload);
    this.#uncommitted.add(payload);
    this.#context.runInAsyncScope(() => {
      this.#uncommittedTimer ??= setTimeout(() => {
        this.#uncommittedTimer = undefined;
        for (const each of this.#uncommitted) this.stored(each);
        this.#uncommitted.clear();
      }, committedAfterMs);
    });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const payloads = [...this.#pending];
    this.#pending.clear();
    this.#sentAtMs = performance.now();
    // If it fails, workers find the jobs by polling.
    this.#sending = this.#send(payloads).then(
      () => this.#sent(),
      () => this.#sent(),
    );
  }

  #sent(): void {
    this.#sending = undefined;
    const [payload] = this.#pending;
    if (payload !== undefined) this.stored(payload);
  }

  /** Tells of the last jobs. Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#uncommittedTimer);
    await this.#sending;
    if (this.#pending.size > 0) this.#flush();
    await this.#sending;
  }
}
