import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter, EngineCapabilities, EnqueuedJob, JobCounts, StoredJob } from "@nidus/jobs-durable";
import {
  type AwaitedJob,
  type JobBackend,
  type JobConsumer,
  type JobEnd,
  type NameBacklog,
  type NewJob,
  ScheduleChain,
  type ScheduleRule,
  type StoredJobsPage,
  type StoredJobsQuery,
  type StoredSchedule,
} from "@nidus/jobs-durable/backend";
import { capabilitiesOf } from "./connection/capabilities.ts";
import type { Connection } from "./connection/connection.ts";
import type { SqlDatabase } from "./database/pg-boss-like.ts";
import { preparedDatabase } from "./database/prepared-database.ts";
import { requireDatabase } from "./database/require-database.ts";
import { bossDatabase, type Row, runSql } from "./database/run-sql.ts";
import { isUnreachable } from "./database/unreachable.ts";
import type { PgBossEnqueueOptions } from "./enqueue-options.ts";
import type { EngineSettings } from "./options.ts";
import { deadLetterFrom } from "./store/dead-letters.ts";
import { type Dialect, dialectOf, type StorageSettings } from "./store/dialect.ts";
import { JobActions } from "./store/job-actions.ts";
import { JobCounter } from "./store/job-counter.ts";
import { JobEnds } from "./store/job-ends.ts";
import { JobInserter } from "./store/job-inserter.ts";
import { type JobStatements, jobStatements } from "./store/job-statements.ts";
import { type LeaseStatements, leaseStatements } from "./store/lease-statements.ts";
import { requirePgBossJobOptions } from "./store/pg-boss-job-options.ts";
import { PgBossSchedules } from "./store/pg-boss-schedules.ts";
import { QueueCreator } from "./store/queue-creator.ts";
import { jobName, queueName } from "./store/queue-name.ts";
import { queueStatements } from "./store/queue-statements.ts";
import { scheduleQueueEvent, scheduleStatements } from "./store/schedule-statements.ts";
import { StoredJobs } from "./store/stored-jobs.ts";
import { JobSignals } from "./worker/job-signals.ts";
import type { PgBossLeasedJob } from "./worker/leased-job.ts";
import { PgBossConsumer } from "./worker/pg-boss-consumer.ts";

/** How long a worker waits for its queues to be created. An enqueue creates the queue that it needs. */
const createWithinMs = 1_000;

/** The queries of a fetch may take a while on a busy server, in milliseconds. */
const shortestWaitMs = 10_000;

/** Stores jobs in pg-boss's table, in one queue per job name. */
export class PgBossBackend implements JobBackend<PgBossLeasedJob, PgBossEnqueueOptions> {
  readonly name = "pg-boss";
  readonly address: string;
  readonly leaseMs: number;
  readonly longestFetchMs: number;
  readonly capabilities: EngineCapabilities;
  readonly enqueueOptions: NonNullable<JobBackend["enqueueOptions"]>;
  /** Longer than the start's own deadline. */
  readonly startWithinMs: number = 90_000;
  readonly watchEnds?: NonNullable<JobBackend["watchEnds"]>;
  readonly #connection: Connection;
  readonly #db: SqlDatabase;
  readonly #dialect: Dialect;
  readonly #statements: JobStatements;
  readonly #leaseStatements: LeaseStatements;
  readonly #settings: StorageSettings;
  readonly #signals: JobSignals;
  readonly #queues: QueueCreator;
  readonly #inserter: JobInserter;
  readonly #storedJobs: StoredJobs;
  readonly #actions: JobActions;
  readonly #ends: JobEnds;
  readonly #counter: JobCounter;
  readonly #chain: ScheduleChain;

  constructor(
    connection: Connection,
    settings: EngineSettings,
    onError: (error: unknown) => void = () => {},
  ) {
    const { boss, schema, address } = connection;
    this.#connection = connection;
    this.#db = bossDatabase(boss);
    this.#dialect = dialectOf(boss);
    this.enqueueOptions = { db: requireDatabase, pgBoss: requirePgBossJobOptions(this.#dialect) };
    this.#statements = jobStatements(schema, this.#dialect);
    this.#leaseStatements = leaseStatements(schema, this.#dialect, settings.leaseSeconds);
    const statements = queueStatements(schema, this.#dialect, settings);
    this.#queues = new QueueCreator(this.#db, statements);
    // The pool of the engine's own pg-boss is pg's: callers may have another driver.
    const oneByOne = connection.createClient === undefined ? this.#db : preparedDatabase(this.#db);
    this.#inserter = new JobInserter(this.#db, oneByOne, statements, this.#queues);
    this.#counter = new JobCounter(this.#db, schema, this.#dialect);
    this.#actions = new JobActions(this.#db, this.#statements, this.#counter);
    this.#storedJobs = new StoredJobs(this.#db, schema);
    this.#ends = new JobEnds(this.#db, schema);
    const records = new QueueCreator(
      this.#db,
      queueStatements(schema, this.#dialect, settings, scheduleQueueEvent),
    );
    const insert = (job: NewJob): Promise<unknown> => this.insert([job], {});
    this.#chain = new ScheduleChain(
      new PgBossSchedules(this.#db, scheduleStatements(schema), records, insert),
    );
    this.#settings = settings;
    this.#signals = new JobSignals(this.#db, connection, settings.polls, onError);
    const { watchEnds } = this.#signals;
    if (watchEnds !== undefined) this.watchEnds = (name, onEnd) => watchEnds(queueName(name), onEnd);
    this.address = address;
    this.longestFetchMs = Math.max(shortestWaitMs, settings.polls.alone, settings.polls.listening);
    this.leaseMs = settings.leaseSeconds * 1000;
    this.capabilities = capabilitiesOf(connection);
  }

  start(): Promise<void> {
    this.#signals.begin();
    return this.#connection.start();
  }

  queueOf(name: string): string {
    return queueName(name);
  }

  isUnreachable(error: unknown): boolean {
    return isUnreachable(error);
  }

  async insert(
    jobs: readonly NewJob[],
    { db, pgBoss }: PgBossEnqueueOptions,
  ): Promise<readonly EnqueuedJob[]> {
    const [{ name, runAt }] = jobs as [NewJob];
    const notifies = this.#signals.beforeInsert(runAt, db);
    const enqueued = await this.#inserter.insert(jobs, db, pgBoss, notifies);
    this.#signals.afterInsert(queueName(name), runAt, db, notifies);
    return enqueued;
  }

  holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return this.#inserter.holderOf(jobName, uniqueKey);
  }

  async consumer(jobNames: readonly string[]): Promise<JobConsumer<PgBossLeasedJob>> {
    // With many new names the worker starts before all its queues exist, and finds nothing in the missing ones.
    const created = this.#queues.ensure(jobNames.map(queueName));
    created.catch(() => {});
    await Promise.race([created, pause(createWithinMs, undefined, { ref: false })]);
    const onScheduled = (names: readonly string[]): Promise<void> => this.#chain.goOn(names);
    const set = { settings: this.#settings, signals: this.#signals, onScheduled };
    return new PgBossConsumer(this.#db, this.#leaseStatements, set, jobNames);
  }

  #query(statement: string, values: readonly unknown[]): Promise<Row[]> {
    return runSql(this.#db, statement, values);
  }

  async cancel(jobId: string): Promise<boolean> {
    const queue = await this.#actions.cancel(jobId);
    // The schedule of a cancelled run goes on.
    if (queue !== undefined) await this.#chain.goOn([jobName(queue)]);
    return queue !== undefined;
  }

  async cancelAll(name: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const cancelled = await this.#actions.cancelAll(name, jobIds);
    if (cancelled.length > 0) await this.#chain.goOn([name]);
    return cancelled;
  }

  backlog(): Promise<readonly NameBacklog[]> {
    return this.#counter.backlog();
  }

  async ping(): Promise<void> {
    await this.#query("SELECT 1", []);
  }

  counts(): Promise<ReadonlyMap<string, JobCounts>> {
    return this.#counter.counts();
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return (await this.#query(this.#statements.deadLetters, [limit])).map(deadLetterFrom);
  }

  job(jobId: string, options: { readonly withPayload: boolean }): Promise<StoredJob | undefined> {
    return this.#storedJobs.job(jobId, options.withPayload);
  }

  ends(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    return this.#ends.read(jobs);
  }

  async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return this.#storedJobs.page(query);
  }

  async redrive(jobId: string): Promise<boolean> {
    const queue = await this.#actions.redrive(jobId);
    if (queue !== undefined) this.#signals.wakeIn(queue, 0);
    return queue !== undefined;
  }

  async redriveAll(name: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const redriven = await this.#actions.redriveAll(name, jobIds);
    if (redriven.length > 0) this.#signals.wakeIn(queueName(name), 0);
    return redriven;
  }

  async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    const queue = await this.#actions.reschedule(jobId, runAt);
    if (queue !== undefined) this.#signals.wakeIn(queue, runAt.getTime() - Date.now());
    return queue !== undefined;
  }

  schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return this.#chain.schedule(job, rule);
  }

  unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    return this.#chain.unschedule(jobName, key);
  }

  schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return this.#chain.schedules(jobName);
  }

  async close(): Promise<void> {
    await this.#signals.close();
    await this.#connection.close();
  }
}
