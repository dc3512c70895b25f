import type { PollIntervals } from "../options.ts";
import { later } from "../store/notifications.ts";

/**
 * How long a worker that was told of jobs and found none waits before it looks again, in milliseconds. If many idle workers hear of each
 * job, this bounds what those that come too late ask the store.
 */
const pauseMs = 20;

/** Ends the waits of idle workers early, when jobs of their names are due. Without that, the next regular poll finds the jobs. */
export class PollWakeup {
  readonly #polls: PollIntervals;
  readonly #waits = new Set<PollWait>();

  constructor(polls: PollIntervals) {
    this.#polls = polls;
  }

  /** Whether a job may be due before workers that listen, and are idle now, poll again. */
  isBeforeNextPoll(inMs: number): boolean {
    return inMs < this.#polls.listening;
  }

  /** Makes the wait of a worker for jobs in these queues. `leave` and `check` are called beside its own. */
  join(queues: readonly string[], { leave, check }: Partial<PollHooks> = {}): PollWait {
    const wait: PollWait = new PollWait(queues, this.#polls, {
      check,
      leave: async () => {
        this.#waits.delete(wait);
        await leave?.();
      },
    });
    this.#waits.add(wait);
    return wait;
  }

  /** Tells workers of jobs in a queue that are due. */
  wake(queue: string): void {
    for (const wait of this.#waits) wait.tell(queue);
  }

  /** Tells workers of jobs in a queue that are due in `inMs` milliseconds. */
  wakeIn(queue: string, inMs: number): void {
    if (inMs <= 0) this.wake(queue);
    else for (const wait of this.#waits) wait.lookIn(inMs, queue);
  }
}

/** The functions that a wait calls. */
export interface PollHooks {
  /** Called when the worker no longer waits. */
  readonly leave: (() => Promise<void>) | undefined;
  /** Called before each look at all queues. */
  readonly check: (() => void) | undefined;
}

/** When a worker looks for jobs: in all its queues now and then, and at once in a queue that a notification names. */
export class PollWait {
  readonly #queues: ReadonlySet<string>;
  readonly #polls: PollIntervals;
  readonly #hooks: PollHooks;
  readonly #told = new Set<string>();
  #lookAtMs = 0;
  #tellAtMs = 0;
  #rearm: (() => void) | undefined;
  #pollIntervalMs: number;

  constructor(queues: readonly string[], polls: PollIntervals, hooks: PollHooks) {
    this.#queues = new Set(queues);
    this.#polls = polls;
    this.#pollIntervalMs = polls.alone;
    this.#hooks = hooks;
  }

  /** Notifications begin to arrive. Looks at all queues now, since earlier ones may be lost, and then polls less often. */
  beginListening(): void {
    this.#pollIntervalMs = this.#polls.listening;
    this.lookIn(0);
  }

  /** Notifications no longer arrive. Polls more often. */
  endListening(): void {
    this.#pollIntervalMs = this.#polls.alone;
    this.lookIn(this.#pollIntervalMs);
  }

  /** Takes a notification. */
  hear(payload: string): void {
    if (payload.endsWith(later)) this.lookIn(0, payload.slice(0, -later.length));
    else this.tell(payload);
  }

  /** Tells of due jobs in a queue. */
  tell(queue: string): void {
    if (!this.#queues.has(queue)) return;
    this.#told.add(queue);
    this.#rearm?.();
  }

  /** Looks at all queues in `inMs` milliseconds, if it has this queue and would look later. */
  lookIn(inMs: number, queue?: string): void {
    if (queue !== undefined && !this.#queues.has(queue)) return;
    // A timer may fire a millisecond early.
    this.#lookAtMs = Math.min(this.#lookAtMs, performance.now() + inMs + 1);
    this.#rearm?.();
  }

  /** Returns the queues that an idle worker was told of, or undefined if it is time to look at all. A busy worker serves all in turn. */
  toFetch(isBusy: boolean): readonly string[] | undefined {
    const told = [...this.#told];
    this.#told.clear();
    if (!isBusy && told.length > 0 && performance.now() < this.#lookAtMs) return told;
    this.#lookAtMs = Number.POSITIVE_INFINITY;
    this.#hooks.check?.();
    return undefined;
  }

  /** A look at all queues has found when the next job is due, if there is one. Queues that it was told of meanwhile stay. */
  looked(nextDueInMs: number | undefined): void {
    // At least the pause: jobs that are due one after the other are fetched together.
    this.lookIn(Math.min(this.#pollIntervalMs, Math.max(nextDueInMs ?? Number.POSITIVE_INFINITY, pauseMs)));
  }

  /** Jobs were found. Which jobs come next is unknown: look as soon as there are no more. */
  foundJobs(): void {
    this.#lookAtMs = 0;
  }

  /** A queue that this worker was told of had no jobs, or no more: another worker has taken them. */
  foundNone(): void {
    this.#tellAtMs = performance.now() + pauseMs;
  }

  /** Resolves when it is time to look, or when the signal is aborted. */
  sleep(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        this.#rearm = undefined;
        signal.removeEventListener("abort", end);
        resolve();
      };
      this.#rearm = () => {
        clearTimeout(timer);
        const atMs = this.#told.size > 0 ? Math.min(this.#lookAtMs, this.#tellAtMs) : this.#lookAtMs;
        const inMs = atMs - performance.now();
        if (inMs <= 0) end();
        else timer = setTimeout(end, Math.min(inMs, this.#pollIntervalMs));
      };
      signal.addEventListener("abort", end, { once: true });
      this.#rearm();
    });
  }

  /** The worker no longer waits. */
  async leave(): Promise<void> {
    await this.#hooks.leave?.();
  }
}
