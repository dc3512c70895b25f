import type { EngineIdentity } from "../wire.ts";
import { RecentReads } from "./recent-reads.ts";
import { type SharedAnswer, SharedRead } from "./shared-read.ts";
import type { WatchedEngine, WatchedJob, WatchedQuery, WatchedSchedule } from "./watched-engine.ts";

/** How many dead letters are grouped. An engine without `jobs` sends their payloads, so fewer are asked for. */
const groupedDeadLetters = { withJobs: 1_000, withoutJobs: 100 } as const;

type Stats = Awaited<ReturnType<WatchedEngine["stats"]>>;
type Health = Awaited<ReturnType<NonNullable<WatchedEngine["health"]>>>;

/** A page of a list of jobs. */
export interface JobPage {
  readonly jobs: readonly WatchedJob[];
  readonly cursor: string | undefined;
}

/** Reads one watched engine for all viewers. */
export class EngineReader {
  readonly engine: WatchedEngine;
  readonly identity: EngineIdentity;
  readonly stats: SharedRead<Stats>;
  readonly deadLetters: SharedRead<readonly WatchedJob[]>;
  readonly health: SharedRead<Health> | undefined;
  readonly schedules: SharedRead<readonly WatchedSchedule[]> | undefined;
  readonly deadLetterLimit: number;
  readonly #canList: boolean;
  readonly #lists = new RecentReads<JobPage>();
  readonly #storedJobs = new RecentReads<WatchedJob | undefined>();
  readonly #schedulesByName = new RecentReads<readonly WatchedSchedule[]>();

  constructor(engine: WatchedEngine, key: string) {
    const { health, capabilities = {} } = engine;
    const schedules = capabilities.schedules === false ? undefined : engine.schedules;
    this.engine = engine;
    this.#canList = engine.jobs !== undefined && capabilities.listing !== false;
    this.identity = {
      key,
      name: engine.name,
      canList: this.#canList,
      canChangeAll: engine.redriveAll !== undefined && engine.cancelAll !== undefined,
      canReschedule: engine.reschedule !== undefined,
      hasSchedules: schedules !== undefined,
    };
    this.deadLetterLimit = groupedDeadLetters[this.#canList ? "withJobs" : "withoutJobs"];
    this.stats = new SharedRead(() => engine.stats());
    this.deadLetters = new SharedRead(() => this.#readDeadLetters(this.deadLetterLimit));
    if (health !== undefined) this.health = new SharedRead(() => health.call(engine));
    if (schedules !== undefined) this.schedules = new SharedRead(() => schedules.call(engine));
  }

  /** Resolves to undefined if the engine cannot list jobs. */
  async #jobs(query: WatchedQuery): Promise<JobPage | undefined> {
    return this.#canList ? this.engine.jobs?.(query) : undefined;
  }

  async #readDeadLetters(limit: number): Promise<readonly WatchedJob[]> {
    const page = await this.#jobs({ state: "dead-lettered", limit });
    if (page === undefined) return this.#readLetters(limit);
    const { jobs } = page;
    if (jobs.every(hasError)) return jobs;
    // A store keeps the last error of a dead letter in any case, and the errors of its attempts if it knows of them.
    const letters = await this.#readLetters(groupedDeadLetters.withoutJobs);
    const errors = new Map(letters.map((letter) => [letter.id, letter.errors]));
    return jobs.map((job) => (hasError(job) ? job : { ...job, errors: errors.get(job.id) }));
  }

  async #readLetters(limit: number): Promise<readonly WatchedJob[]> {
    return (await this.engine.deadLetters({ limit })).map(({ id, jobName, attempts, error, failedAt }) => ({
      id,
      jobName,
      state: "dead-lettered",
      attempt: attempts,
      finishedAt: failedAt,
      errors: [{ attempt: attempts, message: error, at: failedAt }],
    }));
  }

  /** Resolves to a page of jobs. An engine that cannot list has dead letters alone. Never rejects. */
  list(query: WatchedQuery): Promise<SharedAnswer<JobPage>> {
    const key = JSON.stringify([query.jobName, query.state, query.cursor, query.limit]);
    return this.#lists.of(key, () => this.#readList(query)).get();
  }

  /** Resolves to a stored job. An engine that cannot look it up has dead letters alone. Never rejects. */
  job(jobId: string): Promise<SharedAnswer<WatchedJob | undefined>> {
    return this.#storedJobs.of(jobId, () => this.#readJob(jobId)).get();
  }

  async #readJob(jobId: string): Promise<WatchedJob | undefined> {
    const found = await this.engine.job?.(jobId);
    const isComplete = found?.state !== "dead-lettered" || hasError(found);
    if (this.engine.job !== undefined && isComplete) return found;
    const { value = [] } = await this.deadLetters.get();
    const letter = value.find(({ id }) => id === jobId);
    return found === undefined ? letter : { ...found, errors: letter?.errors };
  }

  /** Resolves to the schedules of a job name, or to undefined if the engine has none. Never rejects. */
  async schedulesOf(jobName: string): Promise<SharedAnswer<readonly WatchedSchedule[]> | undefined> {
    const { schedules } = this.engine;
    if (this.schedules === undefined || schedules === undefined) return undefined;
    const read = async (): Promise<readonly WatchedSchedule[]> => {
      // An engine whose `schedules` takes no query lists all of them.
      const listed = await schedules.call(this.engine, { jobName });
      return listed.filter((schedule) => schedule.jobName === jobName);
    };
    return this.#schedulesByName.of(jobName, read).get();
  }

  async #readList(query: WatchedQuery): Promise<JobPage> {
    const page = await this.#jobs(query);
    if (page !== undefined) return page;
    const { jobName } = query;
    const letters = await this.#readDeadLetters(this.deadLetterLimit);
    return {
      jobs: letters.filter((job) => jobName === undefined || job.jobName === jobName),
      cursor: undefined,
    };
  }

  /** Makes the next readings due, after an action. */
  expire(): void {
    const readings = [this.#lists, this.#storedJobs, this.#schedulesByName].flatMap((reads) => [
      ...reads.all(),
    ]);
    for (const read of [this.stats, this.deadLetters, this.health, this.schedules, ...readings])
      read?.expire();
  }
}

function hasError({ errors = [] }: WatchedJob): boolean {
  return errors.length > 0;
}
