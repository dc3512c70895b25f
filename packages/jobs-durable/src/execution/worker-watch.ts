import type { WorkerHealth, WorkerState } from "@nidus/jobs-observe";
import type { Slots } from "./slots.ts";

/** What a worker knows of its store: whether it answers, to whichever question of the engine. */
export interface WatchedStore {
  /** Whether the store answered the latest question. */
  readonly isReachable: boolean;
  /** When the store last answered, in milliseconds of `performance.now()`. */
  readonly answeredAtMs: number;
  /** Asks for a sign of life. Rejects if there is none, soon. */
  ping(): Promise<void>;
}

/** The parts of a worker that its watch uses. */
export interface WorkerWatchSetUp {
  readonly store: WatchedStore;
  readonly slots: Slots;
  /** Aborted when the worker stops. */
  readonly stopping: AbortSignal;
  /** How many jobs the worker holds. */
  readonly running: () => number;
  /** How long the loop waits between two questions at most, in milliseconds: within a fetch, or after a failed one. */
  readonly longestWaitMs: number;
}

/** How often a watch looks, in milliseconds. */
const lookEveryMs = 1_000;

/** After so many longest waits without a question, a loop has stopped asking. */
const overdueWaits = 3;

/**
 * Watches the loop of a worker. If the loop has not asked the store for long, or the store did not answer, it asks for a sign of life
 * itself: only so can a stuck loop and an absent server be told apart.
 */
export class WorkerWatch {
  readonly #setUp: WorkerWatchSetUp;
  readonly #timer: NodeJS.Timeout;
  #askedAtMs = performance.now();
  /** The store has just answered: it has opened the consumer. */
  #answeredAt = new Date();
  #hasFailed = false;

  constructor(setUp: WorkerWatchSetUp) {
    this.#setUp = setUp;
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  /** The loop asks the store, or has waited for a free slot until now. */
  asking(): void {
    this.#askedAtMs = performance.now();
  }

  /** The store has answered a fetch or a renewal of leases. */
  answered(): void {
    this.#answeredAt = new Date();
  }

  /** The store has answered a fetch. */
  fetched(): void {
    this.#hasFailed = false;
    this.answered();
  }

  fetchFailed(): void {
    this.#hasFailed = true;
  }

  health(): WorkerHealth {
    const { slots, running } = this.#setUp;
    return Object.freeze({
      state: this.#state(),
      lastFetchAt: new Date(this.#answeredAt),
      concurrency: slots.total,
      running: running(),
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #state(): WorkerState {
    const { store, slots, stopping, running } = this.#setUp;
    if (stopping.aborted) return "stopped";
    if (!slots.hasRoom) return "working";
    if (store.isReachable && store.answeredAtMs > this.#overdueAtMs) return "stuck";
    if (this.#hasFailed || !store.isReachable) return "server-unreachable";
    return running() > 0 ? "working" : "idle";
  }

  get #overdueAtMs(): number {
    return this.#askedAtMs + overdueWaits * this.#setUp.longestWaitMs;
  }

  #look(): void {
    const { store, slots } = this.#setUp;
    const isOverdue = slots.hasRoom && performance.now() > this.#overdueAtMs;
    if (isOverdue || !store.isReachable) store.ping().catch(() => {});
  }
}
