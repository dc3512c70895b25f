import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import { withDeadline } from "../errors/deadline.ts";
import type { JobExecution } from "./job-execution.ts";

/** How soon a running job hears that it is cancelled, at the latest. */
const askEveryMs = 1_000;

/** The parts of a worker that its lease keeper uses. */
export interface LeaseKeeperSetUp<Job extends LeasedJob> {
  readonly consumer: Pick<JobConsumer<Job>, "renewLeases" | "cancelRequests">;
  readonly leaseMs: number;
  /** The executions whose leases the worker may hold. */
  readonly running: Iterable<JobExecution<Job>>;
  readonly onError: (error: unknown) => void;
  /** Called each time that the store has answered a renewal. */
  readonly onRenewed: () => void;
}

/**
 * Renews the leases of a worker's jobs about every quarter of `leaseMs` (checked each second), all held jobs in one call. Repeats a
 * failed renewal at the next check. Asks every second which jobs have cancel requests, and cancels them.
 */
export class LeaseKeeper<Job extends LeasedJob> {
  readonly #setUp: LeaseKeeperSetUp<Job>;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #lost = new WeakSet<JobExecution<Job>>();
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #isRenewing = false;
  /** The question under way, or the last one. It never rejects. */
  #current: Promise<void> = Promise.resolve();
  /** The one after it, for all who ask meanwhile. */
  #next: Promise<void> | undefined;

  constructor(setUp: LeaseKeeperSetUp<Job>) {
    this.#setUp = setUp;
    this.#timers = [
      // More often than leases are renewed: a renewal that failed is repeated soon.
      setInterval(() => this.#renew(), Math.min(askEveryMs, setUp.leaseMs / 4)),
      setInterval(() => this.cancelRequested(), askEveryMs),
    ];
  }

  async #renew(): Promise<void> {
    const { consumer, leaseMs, onRenewed, onError } = this.#setUp;
    const now = performance.now();
    const held = this.#held().filter((execution) => !this.#lost.has(execution));
    if (this.#isRenewing || held.length === 0 || now - this.#renewedAtMs < leaseMs / 4) return;
    this.#isRenewing = true;
    try {
      const renewal = consumer.renewLeases(held.map(({ job }) => job));
      const lost = new Set((await this.#inTime(renewal, "renewing leases")) ?? []);
      for (const execution of held) if (lost.has(execution.job.id)) this.#lost.add(execution);
      this.#renewedAtMs = now;
      onRenewed();
    } catch (error) {
      onError(error);
    }
    this.#isRenewing = false;
  }

  /** Cancels the jobs whose cancellation was requested before this call. Never rejects. There is one question at a time. */
  cancelRequested(): Promise<void> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      this.#current = this.#cancelRequested();
      return this.#current;
    });
    return this.#next;
  }

  async #cancelRequested(): Promise<void> {
    const held = this.#held();
    if (held.length === 0) return;
    try {
      const question = this.#setUp.consumer.cancelRequests(held.map(({ job }) => job));
      const requested = new Set(await this.#inTime(question, "asking for cancelled jobs"));
      for (const execution of held) if (requested.has(execution.job.id)) execution.cancel();
    } catch (error) {
      this.#setUp.onError(error);
    }
  }

  /** The executions whose leases are this worker's still. */
  #held(): JobExecution<Job>[] {
    return [...this.#setUp.running].filter(({ isOver }) => !isOver);
  }

  /** A question that is never answered must not keep the next one from being asked in time. */
  #inTime<T>(answer: Promise<T>, what: string): Promise<T> {
    return withDeadline(answer, this.#setUp.leaseMs / 3, "the server", what);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
