import type { FetchedJob, JobSource } from "../backend/job-backend.ts";
import { withDeadline } from "../deadline.ts";
import type { Delivery } from "./delivery.ts";

/** How soon a running job hears that it is cancelled, at the latest. */
const renewEveryMs = 1_000;

/** Renews the leases of a worker's deliveries every second or so, and cancels those that are to be cancelled. */
export class LeaseRenewal<Job extends FetchedJob> {
  readonly #source: JobSource<Job>;
  readonly #leaseMs: number;
  readonly #running: ReadonlySet<Delivery<Job>>;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  /** The renewal under way, or the last one. It never rejects. */
  #current: Promise<void> = Promise.resolve();
  /** The one after it, for all who ask meanwhile. */
  #next: Promise<void> | undefined;

  constructor(
    source: JobSource<Job>,
    leaseMs: number,
    running: ReadonlySet<Delivery<Job>>,
    onError: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#leaseMs = leaseMs;
    this.#running = running;
    this.#onError = onError;
    this.#timer = setInterval(() => this.renew(), Math.min(renewEveryMs, leaseMs / 3));
  }

  /** Resolves after a renewal that had not begun yet when this was called. There is one at a time. */
  renew(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      this.#current = this.#renew();
      return this.#current;
    });
    return this.#next;
  }

  async #renew(): Promise<void> {
    const running = [...this.#running].filter(({ isOver }) => !isOver);
    if (running.length === 0) return;
    try {
      const renewal = this.#source.keepAlive(running.map(({ job }) => job));
      // One that never answers must not keep the next one from being asked for in time.
      const answer = withDeadline(renewal, this.#leaseMs / 3, "the server", "renewing leases");
      const cancelled = new Set(await answer);
      for (const delivery of running) if (cancelled.has(delivery.job.id)) delivery.cancel();
    } catch (error) {
      this.#onError(error);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
