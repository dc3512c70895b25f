import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { JobConsumer, JobOutcome, LeasedJob, SettleResult } from "../backend/job-backend.ts";

/** An engine's own work, observed by those who asked for it when the engine was opened. */
export class Bookkeeping {
  readonly #runner: ObservedJobRunner | undefined;

  constructor(observers: readonly JobObserver[], onError: (error: unknown) => void) {
    if (observers.length > 0) this.#runner = new ObservedJobRunner(observers, { onObserverError: onError });
  }

  /** Does a piece of work, and changes nothing for it. */
  run<T>(kind: string, work: () => Promise<T>): Promise<T> {
    return this.#runner === undefined ? work() : this.#runner.runAsync({ name: kind, run: work });
  }

  /** Begins work that goes on by itself, apart from whatever the caller is doing: its timers and promises belong to the engine. */
  begin<T extends object>(kind: string, work: () => T): T {
    if (this.#runner === undefined) return work();
    let begun: T | undefined;
    const run = (): void => {
      begun = work();
    };
    this.#runner.run({ name: kind, run });
    return begun as unknown as T;
  }
}

/** A consumer whose every call is book-keeping. */
export class BookkeepingConsumer<Job extends LeasedJob> implements JobConsumer<Job> {
  readonly settleAndFetch?: NonNullable<JobConsumer<Job>["settleAndFetch"]>;
  readonly #consumer: JobConsumer<Job>;
  readonly #bookkeeping: Bookkeeping;

  constructor(consumer: JobConsumer<Job>, bookkeeping: Bookkeeping) {
    this.#consumer = consumer;
    this.#bookkeeping = bookkeeping;
    if (typeof consumer.settleAndFetch === "function") {
      const settleAndFetch = consumer.settleAndFetch.bind(consumer);
      this.settleAndFetch = (job, outcome) => bookkeeping.run("settle", () => settleAndFetch(job, outcome));
    }
  }

  fetch(limit: number, signal: AbortSignal): Promise<readonly Job[]> {
    return this.#bookkeeping.run("fetch", () => this.#consumer.fetch(limit, signal));
  }

  settle(job: Job, outcome: JobOutcome): Promise<SettleResult> {
    return this.#bookkeeping.run("settle", () => this.#consumer.settle(job, outcome));
  }

  renewLeases(jobs: readonly Job[]): ReturnType<JobConsumer<Job>["renewLeases"]> {
    return this.#bookkeeping.run("renew-leases", () => this.#consumer.renewLeases(jobs));
  }

  cancelRequests(jobs: readonly Job[]): Promise<readonly string[]> {
    return this.#bookkeeping.run("cancel-requests", () => this.#consumer.cancelRequests(jobs));
  }

  close(): Promise<void> {
    return this.#bookkeeping.run("close", () => this.#consumer.close());
  }
}
