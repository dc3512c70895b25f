import type { EnqueuedJob } from "@nidus/jobs-durable";
import { haveSameOptions, type NewJob } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { maxInteger, priorityOf, retryLimitOf } from "./dialect.ts";
import { retainMember } from "./lease-statements.ts";
import type { PgBossJobOptions } from "./pg-boss-job-options.ts";
import type { QueueCreator } from "./queue-creator.ts";
import { queueName } from "./queue-name.ts";
import {
  type Duplicates,
  furtherColumns,
  type InsertedColumns,
  type Notifies,
  type QueueStatements,
} from "./queue-statements.ts";
import { singletonKeyOf, uniqueForMs } from "./unique-keys.ts";

/** How often a job is stored anew because the job that held its key has ended meanwhile, or its queue was being created. */
const maxTries = 20;

/** PostgreSQL's code for a row that violates a constraint, which it then names, or for which a partitioned table has no part. */
const checkViolationCode = "23514";

/** The most queues that are remembered: some 100 KB. Beyond that, a transaction asks again. */
const maxKnownQueues = 1_000;

/** Stores new jobs, each later than the one before, and creates their queue if it is missing. */
export class JobInserter {
  readonly #db: SqlDatabase;
  readonly #oneByOne: SqlDatabase;
  readonly #statements: QueueStatements;
  readonly #queues: QueueCreator;
  /** The queues that a caller's transaction has seen. */
  readonly #known = new Set<string>();
  /** PostgreSQL's time of the last job that this process stored, in microseconds. */
  #lastStoredUs = "0";

  /** `oneByOne` runs the statement that stores a single job. */
  constructor(db: SqlDatabase, oneByOne: SqlDatabase, statements: QueueStatements, queues: QueueCreator) {
    this.#db = db;
    this.#oneByOne = oneByOne;
    this.#statements = statements;
    this.#queues = queues;
  }

  /**
   * Stores jobs of one name, in the caller's transaction if `db` is given. Resolves to which of them are duplicates. `notifies` says how
   * the statement tells other processes.
   *
   * @throws (rejects with) Error if PostgreSQL did not store them.
   */
  async insert(
    jobs: readonly NewJob[],
    db: SqlDatabase | undefined,
    options: PgBossJobOptions = {},
    notifies: Notifies = undefined,
  ): Promise<readonly EnqueuedJob[]> {
    const [first] = jobs as [NewJob];
    if (db !== undefined) await this.#meetQueue(queueName(first.name), db);
    if (first.uniqueKey !== undefined) {
      return [await this.#insertUnique(first, first.uniqueKey, db, options, notifies)];
    }
    if (jobs.length === 1 && (await this.#insertOne(first, db, options, notifies))) {
      return [{ id: first.id, isDuplicate: false }];
    }
    const { hasIdempotencyKey } = first;
    const answer = await this.#run(jobs, hasIdempotencyKey ? "by id" : "none", db, options, notifies);
    if (!hasIdempotencyKey && storedBy(answer) !== jobs.length)
      throw notStored(first.name, answer, jobs.length);
    if (!hasIdempotencyKey) return jobs.map(({ id }) => ({ id, isDuplicate: false }));
    const ids = new Set(String(answer.ids ?? "").split(","));
    return jobs.map(({ id }) => ({ id, isDuplicate: !ids.has(id) }));
  }

  /** Stores one job. Resolves to false if it is a duplicate, or its queue is missing. */
  async #insertOne(
    job: NewJob,
    db: SqlDatabase | undefined,
    options: PgBossJobOptions,
    notifies: Notifies,
  ): Promise<boolean> {
    const columns = columnsOf(job, options);
    const further = furtherColumns.map((column) => columns[column]?.toString() ?? null);
    const queue = queueName(job.name);
    const values = [this.#lastStoredUs, job.id, dataTextOf(job), ...further, queue];
    const rows = await this.#store(queue, db, this.#oneByOne, this.#statements.insertOne(notifies), values);
    this.#lastStoredUs = rows[0]?.last_us ?? this.#lastStoredUs;
    return rows.length > 0;
  }

  /** Stores a job whose key no other job holds. Otherwise resolves to the job that holds the key. */
  async #insertUnique(
    job: NewJob,
    uniqueKey: string,
    db: SqlDatabase | undefined,
    options: PgBossJobOptions,
    notifies: Notifies,
  ): Promise<EnqueuedJob> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#run([job], "by unique key", db, options, notifies);
      if (storedBy(answer) === 1) return { id: job.id, isDuplicate: false };
      // The statement does not see a holder that another transaction has stored meanwhile. The next statement does.
      const holder = answer.holder ?? (await this.holderOf(job.name, uniqueKey, db));
      if (holder !== undefined) return { id: holder, isDuplicate: true };
      if (tries === maxTries) throw notStored(job.name, answer, 1);
    }
  }

  /** Resolves to the id of the job that holds a unique key, as the caller's transaction sees it if `db` is given. */
  async holderOf(jobName: string, uniqueKey: string, db?: SqlDatabase): Promise<string | undefined> {
    const values = [queueName(jobName), singletonKeyOf(uniqueKey)];
    const [row] = await runSql(db ?? this.#db, this.#statements.holder, values);
    return row?.id;
  }

  /** Runs the statement, and creates the queue if it is missing. */
  async #run(
    jobs: readonly NewJob[],
    duplicates: Duplicates,
    db: SqlDatabase | undefined,
    options: PgBossJobOptions,
    notifies: Notifies,
  ): Promise<Row> {
    const [{ name }] = jobs as [NewJob];
    const queue = queueName(name);
    const values = [this.#lastStoredUs, jobsText(jobs, options), queue];
    const statement = this.#statements.insert(duplicates, notifies);
    let [answer] = await this.#store(queue, db, this.#db, statement, values);
    if (!answer?.is_own_queue) {
      await this.#createQueue(queue, db, answer?.sees_other_connections);
      [answer] = await this.#store(queue, db, this.#db, statement, values);
    }
    if (!answer?.is_own_queue) throw notStored(name, answer, jobs.length);
    this.#lastStoredUs = answer.last_us ?? this.#lastStoredUs;
    return answer;
  }

  /**
   * Runs a statement that stores jobs in a queue. While another process creates the queue, the statement may see it before its table. A
   * caller's transaction would have failed then: it waits before.
   */
  async #store(
    queue: string,
    db: SqlDatabase | undefined,
    own: SqlDatabase,
    statement: string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    if (db !== undefined) return runSql(db, statement, values);
    for (let tries = 1; ; tries++) {
      try {
        return await runSql(own, statement, values);
      } catch (error) {
        if (!isMissingTable(error) || tries === maxTries) throw error;
      }
      await runSql(this.#db, this.#statements.findQueue, [queue]);
    }
  }

  /** Waits until a queue that this process has not met is created, so that the statements of the caller's transaction see its table. */
  async #meetQueue(queue: string, db: SqlDatabase): Promise<void> {
    if (this.#known.has(queue)) return;
    const [answer] = await runSql(db, this.#statements.findQueue, [queue]);
    if (!answer?.is_own_queue) {
      await this.#createQueue(queue, db, answer?.sees_other_connections);
      await runSql(db, this.#statements.findQueue, [queue]);
    }
    if (this.#known.size === maxKnownQueues) this.#known.clear();
    this.#known.add(queue);
  }

  /** Creates a queue on the engine's own connection if the caller's transaction will see it, or else in that transaction. */
  async #createQueue(
    queue: string,
    db: SqlDatabase | undefined,
    seesOtherConnections: unknown,
  ): Promise<void> {
    if (db === undefined || seesOtherConnections === true) await this.#queues.ensure([queue]);
    else await this.#queues.createWithin(db, queue);
  }
}

function isMissingTable(error: unknown): boolean {
  const { code, constraint } = error as { readonly code?: unknown; readonly constraint?: unknown };
  return code === checkViolationCode && constraint === undefined;
}

/** Returns how many jobs a statement has stored. Some drivers of callers read integers as text or as a BigInt. */
function storedBy(answer: Row | undefined): number {
  return Number(answer?.stored ?? 0);
}

function notStored(jobName: string, answer: Row | undefined, count: number): Error {
  const queue = queueName(jobName);
  return new Error(`PostgreSQL stored ${storedBy(answer)} of ${count} jobs in the queue ${queue}`);
}

/** Returns the JSON text of jobs as the statements take it. The envelopes stand in it as they are. */
function jobsText(jobs: readonly NewJob[], options: PgBossJobOptions): string {
  let before: NewJob | undefined;
  let columns = "";
  const texts = jobs.map((job) => {
    if (before === undefined || !haveSameOptions(before, job))
      columns = JSON.stringify(columnsOf(job, options)).slice(1);
    before = job;
    return `{"id":"${job.id}","data":${dataTextOf(job)},${columns}`;
  });
  return `[${texts.join(",")}]`;
}

/** Returns all columns but id and data. */
function columnsOf(job: NewJob, { group }: PgBossJobOptions): InsertedColumns {
  const { runAt, priority, uniqueKey, retainMs } = job;
  return {
    run_at: runAt?.toISOString(),
    max_attempts: retryLimitOf(job),
    // No priority is the first one, and the statement's default.
    priority: priority === 0 ? undefined : priorityOf(job),
    singleton_key: uniqueKey === undefined ? undefined : singletonKeyOf(uniqueKey),
    retain_seconds: retainMs === undefined ? undefined : retainSecondsOf(retainMs),
    group_id: group?.id,
    group_tier: group?.tier,
  };
}

/** A job that is removed at its end and survives that, as a cancelled one may, is kept for as short as pg-boss can. */
function retainSecondsOf(retainMs: number): number {
  return Math.min(Math.max(Math.ceil(retainMs / 1000), 1), maxInteger);
}

/** The envelope as it is, with what the engine reads beside it. */
function dataTextOf(job: NewJob): string {
  const { envelopeText } = job;
  const retainMs = job.retainMs === 0 ? 0 : undefined;
  if (job.uniqueForMs === undefined && retainMs === undefined) return envelopeText;
  const own = JSON.stringify({ [uniqueForMs]: job.uniqueForMs, [retainMember]: retainMs });
  return envelopeText === "{}" ? own : `${envelopeText.slice(0, -1)},${own.slice(1)}`;
}
