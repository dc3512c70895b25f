import type { DeadLetterCount, JobBacklog, JobScheduleTimes } from "@nidus/jobs-observe";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import type { NameBacklog } from "../backend/name-backlog.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { BoundedBackend } from "./bounded-backend.ts";
import type { JobSchedules } from "./job-schedules.ts";
import { backlogFrom, deadLetterCountsFrom } from "./stats.ts";

/** The parts of an engine that its readings use. */
export interface StoreReadingsSetUp<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly store: BoundedBackend<Job, Options>;
  readonly schedules: JobSchedules;
  readonly bookkeeping: () => Bookkeeping;
  readonly onError: (error: unknown) => void;
}

/** What observers read from the store of an engine. Readings of one moment share one question. */
export class StoreReadings<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #setUp: StoreReadingsSetUp<Job, Options>;
  #question: Promise<readonly NameBacklog[]> | undefined;

  constructor(setUp: StoreReadingsSetUp<Job, Options>) {
    this.#setUp = setUp;
  }

  /** Resolves to undefined once the engine is closed. */
  async backlog(): Promise<readonly JobBacklog[] | undefined> {
    return this.#setUp.store.isClosed ? undefined : backlogFrom(await this.#rows());
  }

  /** Resolves to undefined once the engine is closed. */
  async deadLetters(): Promise<readonly DeadLetterCount[] | undefined> {
    return this.#setUp.store.isClosed ? undefined : deadLetterCountsFrom(await this.#rows());
  }

  /** Resolves to undefined once the engine is closed. */
  async schedules(): Promise<readonly JobScheduleTimes[] | undefined> {
    const { store, schedules, bookkeeping, onError } = this.#setUp;
    if (store.isClosed) return undefined;
    try {
      return await bookkeeping().run("schedules", () => schedules.schedules());
    } catch (error) {
      onError(error);
      throw error;
    }
  }

  #rows(): Promise<readonly NameBacklog[]> {
    this.#question ??= this.#ask().finally(() => {
      this.#question = undefined;
    });
    return this.#question;
  }

  async #ask(): Promise<readonly NameBacklog[]> {
    const { store, bookkeeping, onError } = this.#setUp;
    try {
      const ask = (backend: JobBackend<Job, Options>): Promise<readonly NameBacklog[]> =>
        bookkeeping().run("backlog", () => backend.backlog());
      return store.answers.backlog(await store.ask(ask));
    } catch (error) {
      onError(error);
      throw error;
    }
  }
}
