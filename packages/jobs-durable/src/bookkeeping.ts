import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { FetchedJob, JobSource, Settled, Settlement } from "./backend/job-backend.ts";

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

/** A source whose every call is book-keeping. */
export class BookkeepingSource<Job extends FetchedJob> implements JobSource<Job> {
  readonly bringsNext: boolean;
  readonly #source: JobSource<Job>;
  readonly #bookkeeping: Bookkeeping;

  constructor(source: JobSource<Job>, bookkeeping: Bookkeeping) {
    this.bringsNext = source.bringsNext;
    this.#source = source;
    this.#bookkeeping = bookkeeping;
  }

  fetch(limit: number, signal: AbortSignal): Promise<readonly Job[]> {
    return this.#bookkeeping.run("fetch", () => this.#source.fetch(limit, signal));
  }

  settle(job: Job, settlement: Settlement, wantsNext: boolean): Promise<Settled<Job>> {
    return this.#bookkeeping.run("settle", () => this.#source.settle(job, settlement, wantsNext));
  }

  keepAlive(jobs: readonly Job[]): Promise<readonly string[]> {
    return this.#bookkeeping.run("keep-alive", () => this.#source.keepAlive(jobs));
  }

  close(): Promise<void> {
    return this.#bookkeeping.run("close", () => this.#source.close());
  }
}
