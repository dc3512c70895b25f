import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { BackendAnswers } from "../backend/answers.ts";
import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { JobOutcome, SettleResult } from "../backend/job-outcome.ts";

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

/** A consumer whose every call is book-keeping, and whose every answer is checked. */
export class BookkeepingConsumer<Job extends LeasedJob> implements JobConsumer<Job> {
  readonly settleAndFetch?: NonNullable<JobConsumer<Job>["settleAndFetch"]>;
  readonly saveProgress?: NonNullable<JobConsumer<Job>["saveProgress"]>;
  readonly #consumer: JobConsumer<Job>;
  readonly #bookkeeping: Bookkeeping;
  readonly #answers: BackendAnswers;

  constructor(consumer: JobConsumer<Job>, bookkeeping: Bookkeeping, answers: BackendAnswers) {
    this.#consumer = consumer;
    this.#bookkeeping = bookkeeping;
    this.#answers = answers;
    if (consumer.saveProgress !== undefined) {
      const saveProgress = consumer.saveProgress.bind(consumer);
      this.saveProgress = (job, progress) =>
        bookkeeping.run("save-progress", async () => saveProgress(job, progress));
    }
    if (consumer.settleAndFetch === undefined) return;
    const settleAndFetch = consumer.settleAndFetch.bind(consumer);
    // No async function, since this runs for every job.
    this.settleAndFetch = (job, outcome) =>
      Promise.resolve(bookkeeping.run("settle", () => settleAndFetch(job, outcome))).then((answer) =>
        answers.settle("settleAndFetch", answer),
      );
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly Job[]> {
    const fetch = (): Promise<readonly Job[]> => this.#consumer.fetch(limit, signal);
    return this.#answers.fetch(await this.#bookkeeping.run("fetch", fetch));
  }

  settle(job: Job, outcome: JobOutcome): Promise<SettleResult> {
    const settled = this.#bookkeeping.run("settle", () => this.#consumer.settle(job, outcome));
    return Promise.resolve(settled).then((answer) => this.#answers.settle("settle", answer));
  }

  async renewLeases(jobs: readonly Job[]): Promise<readonly string[]> {
    const renew = (): ReturnType<JobConsumer<Job>["renewLeases"]> => this.#consumer.renewLeases(jobs);
    return this.#answers.renewLeases(await this.#bookkeeping.run("renew-leases", renew));
  }

  async cancelRequests(jobs: readonly Job[]): Promise<readonly string[]> {
    const ask = (): Promise<readonly string[]> => this.#consumer.cancelRequests(jobs);
    return this.#answers.cancelRequests(await this.#bookkeeping.run("cancel-requests", ask));
  }

  close(): Promise<void> {
    return this.#bookkeeping.run("close", async () => this.#consumer.close());
  }
}
