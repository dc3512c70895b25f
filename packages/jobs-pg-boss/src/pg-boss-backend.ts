import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter, EngineCapabilities, EnqueueOptions, JobCounts } from "@nidus/jobs-durable";
import { envelopeFrom, type JobBackend, type JobConsumer, type NewJob } from "@nidus/jobs-durable/backend";
import type { JobBacklog } from "@nidus/jobs-observe";
import { backlogFrom, countsFrom } from "./counts.ts";
import { type Row, runSql, withoutValues } from "./database.ts";
import { type Dialect, dialectOf, retryLimitOf, type StorageSettings } from "./dialect.ts";
import { type LeaseStatements, leaseStatements } from "./lease-statements.ts";
import type { PgBossLeasedJob } from "./leased-job.ts";
import { isOutOfReach } from "./out-of-reach.ts";
import { PgBossConsumer } from "./pg-boss-consumer.ts";
import type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";
import { jobName, queueName } from "./queue-name.ts";
import { type QueueStatements, queueStatements, type StoredJob } from "./queue-statements.ts";
import { Queues } from "./queues.ts";
import { type Statements, statementsFor } from "./statements.ts";
import { Wakeup } from "./wakeup.ts";

/** How a job is enqueued with pg-boss. */
export interface PgBossEnqueueOptions extends EnqueueOptions {
  /** The caller's own transaction: the job is stored with it, or not at all. @default the engine's own connection */
  readonly db?: SqlDatabase | undefined;
}

/** A pg-boss, and what belongs to it. */
export interface Connection {
  readonly boss: PgBossLike;
  readonly schema: string;
  readonly address: string;
  /** Whether callers can have a transaction in the same database. */
  readonly hasTransactions: boolean;
  /** Starts a pg-boss of the engine's own. @throws (rejects with) EngineUnavailableError, with everything closed. */
  start(): Promise<void>;
  /** Lets go of what was opened for the engine. */
  close(): Promise<void>;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** How long a worker waits for its queues to be created. An enqueue creates the one that it needs. */
const createWithinMs = 1_000;

/** Jobs in pg-boss's table, one queue per job name. */
export class PgBossBackend implements JobBackend<PgBossLeasedJob, PgBossEnqueueOptions> {
  readonly name = "pg-boss";
  readonly address: string;
  readonly leaseMs: number;
  readonly capabilities: EngineCapabilities;
  readonly enqueueOptions: NonNullable<JobBackend["enqueueOptions"]> = { db: requireDatabase };
  /** The start has a deadline of its own. */
  readonly startWithinMs: number = 90_000;
  readonly #connection: Connection;
  readonly #boss: PgBossLike;
  /** That of pg-boss, once it has started. */
  readonly #db: SqlDatabase = {
    executeSql: (text, values) => this.#boss.getDb().executeSql(text, values),
  };
  readonly #dialect: Dialect;
  readonly #statements: Statements;
  readonly #queueStatements: QueueStatements;
  readonly #leaseStatements: LeaseStatements;
  readonly #settings: StorageSettings;
  readonly #wakeup: Wakeup;
  readonly #queues: Queues;
  /** The store's time, in microseconds, of the last job that was stored here: the next one comes after it. */
  #lastStoredUs = "0";

  constructor(connection: Connection, settings: StorageSettings, pollIntervalMs: number) {
    this.#connection = connection;
    this.#boss = connection.boss;
    this.#dialect = dialectOf(connection.boss);
    this.#statements = statementsFor(connection.schema, this.#dialect);
    this.#queueStatements = queueStatements(connection.schema, this.#dialect, settings);
    this.#leaseStatements = leaseStatements(connection.schema, this.#dialect);
    this.#queues = new Queues(this.#db, this.#queueStatements);
    this.#settings = settings;
    this.#wakeup = new Wakeup(pollIntervalMs);
    this.address = connection.address;
    this.leaseMs = settings.leaseSeconds * 1000;
    const retainSeconds = Math.min(settings.retainSucceededSeconds, settings.retainDeadLettersSeconds);
    this.capabilities = {
      persistence: true,
      // pg-boss 10 does without its schedules where jobs are archived within a minute.
      schedules: this.#dialect.hasScheduleKeys || retainSeconds >= 60,
      scheduleKeys: this.#dialect.hasScheduleKeys,
      transactions: connection.hasTransactions,
      nullCharacters: false,
    };
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  queueOf(name: string): string {
    return queueName(name);
  }

  isOutOfReach(error: unknown): boolean {
    return isOutOfReach(error);
  }

  async insert(jobs: readonly NewJob[], { db }: PgBossEnqueueOptions): Promise<readonly boolean[]> {
    const [{ name, hasIdempotencyKey, runAt }] = jobs as [NewJob];
    const queue = queueName(name);
    const values = [queue, this.#lastStoredUs, JSON.stringify(jobs.map(storedJob))];
    const insert = this.#queueStatements.insert(hasIdempotencyKey);
    let [answer] = await runSql(db ?? this.#db, insert, values);
    if (!answer?.is_own_queue) {
      await this.#createQueue(queue, db, answer?.isolation);
      [answer] = await runSql(db ?? this.#db, insert, values);
    }
    if (!answer?.is_own_queue || (!hasIdempotencyKey && answer.stored !== jobs.length)) {
      throw new Error(
        `PostgreSQL stored ${answer?.stored ?? 0} of ${jobs.length} jobs in the queue ${queue}`,
      );
    }
    this.#lastStoredUs = answer.last_us ?? this.#lastStoredUs;
    this.#wakeup.in(runAt === undefined ? 0 : runAt.getTime() - Date.now());
    if (!hasIdempotencyKey) return jobs.map(() => true);
    const ids = new Set(String(answer.ids ?? "").split(","));
    return jobs.map(({ id }) => ids.has(id));
  }

  /** Creates a queue on the engine's own connection if the caller's transaction will see it, or else within that transaction. */
  async #createQueue(queue: string, db: SqlDatabase | undefined, isolation: unknown): Promise<void> {
    if (db === undefined || /^read /.test(String(isolation))) await this.#queues.require([queue]);
    else await this.#queues.createWithin(db, queue);
  }

  async consumer(jobNames: readonly string[]): Promise<JobConsumer<PgBossLeasedJob>> {
    // With many new names the worker starts before its queues are there: it finds nothing in those that are not.
    const created = this.#queues.require(jobNames.map(queueName));
    created.catch(() => {});
    await Promise.race([created, pause(createWithinMs, undefined, { ref: false })]);
    return new PgBossConsumer(this.#db, this.#leaseStatements, this.#settings, this.#wakeup, jobNames);
  }

  #query(statement: string, values: readonly unknown[]): Promise<Row[]> {
    return runSql(this.#db, statement, values);
  }

  async cancel(jobId: string): Promise<boolean> {
    return uuid.test(jobId) && (await this.#query(this.#statements.cancel, [jobId])).length > 0;
  }

  async backlog(): Promise<readonly JobBacklog[]> {
    return backlogFrom(await this.#query(this.#statements.backlog, []));
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    return countsFrom(await this.#query(this.#statements.counts, []));
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await this.#query(this.#statements.deadLetters, [limit]);
    return rows.map(({ id, name, data, retry_count, retry_limit, output, failed_at }) => ({
      id,
      jobName: jobName(name),
      payload: envelopeFrom(data).payload,
      // A job whose worker died in its last attempt was delivered once more, to be given up.
      attempts: Math.max(Math.min(retry_count + 1, retry_limit), 1),
      error: messageOf(output),
      failedAt: failed_at,
    }));
  }

  async redrive(jobId: string): Promise<boolean> {
    const isRedriven = uuid.test(jobId) && (await this.#query(this.#statements.redrive, [jobId])).length > 0;
    if (isRedriven) this.#wakeup.now();
    return isRedriven;
  }

  async schedule(job: NewJob, cron: string, timeZone: string, key: string | undefined): Promise<void> {
    await this.#queues.require([queueName(job.name)]);
    try {
      await this.#boss.schedule(queueName(job.name), cron, job.envelope, {
        ...this.#dialect.scheduleOptions(job, this.#settings),
        tz: timeZone,
        ...(key !== undefined && { key }),
      });
    } catch (error) {
      // PostgreSQL's errors have a code; those of the cron parser have none.
      if (error instanceof Error && !("code" in error)) {
        throw new TypeError(`expected \`cron\` to be a cron expression, got "${cron}"`, { cause: error });
      }
      throw withoutValues(error);
    }
  }

  async unschedule(name: string, key = ""): Promise<boolean> {
    const queue = queueName(name);
    const rows = await this.#query(this.#statements.hasSchedule, [queue, key]);
    if (rows.length > 0) await this.#boss.unschedule(queue, key);
    return rows.length > 0;
  }

  async close(): Promise<void> {
    this.#wakeup.close();
    await this.#connection.close();
  }
}

function requireDatabase(db: unknown): void {
  if (typeof (db as Partial<SqlDatabase> | null)?.executeSql === "function") return;
  throw new TypeError("expected `db` to be an object with the function `executeSql(text, values)`");
}

function storedJob({ id, envelope, runAt, maxAttempts }: NewJob): StoredJob {
  return {
    id,
    data: envelope,
    run_at: runAt?.toISOString(),
    max_attempts: retryLimitOf({ maxAttempts }),
  };
}

/** What a settlement wrote, or pg-boss itself when it gave a job up. */
function messageOf(output: unknown): string {
  const { message, value } = (output ?? {}) as { message?: unknown; value?: { message?: unknown } };
  return String(message ?? value?.message ?? "unknown");
}
