import { setTimeout as pause } from "node:timers/promises";
import {
  type DeadLetter,
  type EngineCapabilities,
  type EnqueueOptions,
  envelopeFrom,
  type JobBackend,
  type JobCounts,
  type JobSource,
  type NewJob,
} from "@nidus/jobs-durable";
import type { JobBacklog } from "@nidus/jobs-observe";
import { backlogFrom, countsFrom } from "./counts.ts";
import { type Dialect, dialectOf, type StorageSettings } from "./dialect.ts";
import { isOutOfReach } from "./out-of-reach.ts";
import type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";
import { type PgBossFetchedJob, PgBossSource } from "./pg-boss-source.ts";
import { jobName, queueName } from "./queue-name.ts";
import { ownQueuesEvent, type Statements, statementsFor } from "./statements.ts";
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

/** A deadlock with another program that creates a queue of pg-boss 10's: PostgreSQL ends one of the two, which then tries again. */
const createQueueTries = 10;
const createQueuePauseMs = 200;

/** Jobs in pg-boss's table, one queue per job name. */
export class PgBossBackend implements JobBackend<PgBossFetchedJob, PgBossEnqueueOptions> {
  readonly name = "pg-boss";
  readonly address: string;
  readonly leaseMs: number;
  readonly capabilities: EngineCapabilities;
  readonly enqueueOptions: readonly string[] = ["db"];
  /** The start has a deadline of its own. */
  readonly startWithinMs: number = 90_000;
  readonly #connection: Connection;
  readonly #boss: PgBossLike;
  readonly #dialect: Dialect;
  readonly #statements: Statements;
  readonly #settings: StorageSettings;
  readonly #wakeup: Wakeup;
  readonly #queues = new Map<string, Promise<void>>();
  #creating: Promise<void> = Promise.resolve();

  constructor(connection: Connection, settings: StorageSettings, pollIntervalMs: number) {
    this.#connection = connection;
    this.#boss = connection.boss;
    this.#dialect = dialectOf(connection.boss);
    this.#statements = statementsFor(connection.schema, this.#dialect);
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

  /** Makes a queue the engine's own, and creates it unless it is there. What fails is tried again the next time. */
  #requireQueue(name: string): Promise<void> {
    let required = this.#queues.get(name);
    if (required === undefined) {
      // One after the other: creating a queue is a change of tables, which locks what the next one needs.
      required = this.#creating.then(() => this.#adoptQueue(queueName(name)));
      this.#creating = required.catch(() => {
        this.#queues.delete(name);
      });
      this.#queues.set(name, required);
    }
    return required;
  }

  async #adoptQueue(queue: string): Promise<void> {
    if ((await this.#query(this.#statements.hasQueue, [queue])).length === 0) await this.#createQueue(queue);
    await this.#boss.subscribe(ownQueuesEvent, queue);
  }

  async #createQueue(queue: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#dialect.createQueue(this.#boss, this.#connection.schema, queue);
        return;
      } catch (error) {
        const isDeadlock = (error as { code?: unknown }).code === "40P01";
        if (!isDeadlock || tries === createQueueTries) throw error;
        await pause(Math.random() * createQueuePauseMs);
      }
    }
  }

  isOutOfReach(error: unknown): boolean {
    return isOutOfReach(error);
  }

  async insert(jobs: readonly NewJob[], { db }: PgBossEnqueueOptions): Promise<readonly boolean[]> {
    const [{ name, hasIdempotencyKey, runAt }] = jobs as [NewJob];
    await this.#requireQueue(name);
    const queue = queueName(name);
    const stored = hasIdempotencyKey
      ? await this.#insertKeyed(queue, jobs, db)
      : await this.#insertAll(queue, jobs, db);
    this.#wakeup.at(runAt);
    return stored;
  }

  async #insertAll(queue: string, jobs: readonly NewJob[], db: SqlDatabase | undefined): Promise<boolean[]> {
    const rows = jobs.map((job) => this.#dialect.row(queue, job, this.#settings));
    await this.#dialect.insert(this.#boss, queue, rows, db);
    return jobs.map(() => true);
  }

  /** One by one: only `send` tells whether the id was taken. */
  async #insertKeyed(
    queue: string,
    jobs: readonly NewJob[],
    db: SqlDatabase | undefined,
  ): Promise<boolean[]> {
    const stored: boolean[] = [];
    for (const job of jobs) {
      const id = await this.#boss.send(queue, job.envelope, {
        ...this.#dialect.options(job, this.#settings),
        keepUntil: undefined,
        id: job.id,
        ...(job.runAt !== undefined && { startAfter: job.runAt }),
        ...(db !== undefined && { db }),
      });
      stored.push(id !== null);
    }
    return stored;
  }

  async source(jobNames: readonly string[]): Promise<JobSource<PgBossFetchedJob>> {
    for (const name of jobNames) await this.#requireQueue(name);
    return new PgBossSource(this.#boss, this.#statements, this.#settings, this.#wakeup, jobNames);
  }

  async #query(statement: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    const { rows } = await this.#boss.getDb().executeSql(statement, values);
    return rows;
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
    return rows.map(({ id, name, data, retry_count, retry_limit, output, completed_on }) => ({
      id: id as string,
      name: jobName(name as string),
      payload: envelopeFrom(data).payload,
      // A job whose worker died in its last attempt was delivered once more, to be given up.
      attempts: Math.min((retry_count as number) + 1, retry_limit as number),
      error: messageOf(output),
      failedAt: completed_on as Date,
    }));
  }

  async redrive(jobId: string): Promise<boolean> {
    const isRedriven = uuid.test(jobId) && (await this.#query(this.#statements.redrive, [jobId])).length > 0;
    if (isRedriven) this.#wakeup.now();
    return isRedriven;
  }

  async schedule(job: NewJob, cron: string, timeZone: string, key: string | undefined): Promise<void> {
    await this.#requireQueue(job.name);
    try {
      await this.#boss.schedule(queueName(job.name), cron, job.envelope, {
        ...this.#dialect.options(job, this.#settings),
        tz: timeZone,
        ...(key !== undefined && { key }),
      });
    } catch (error) {
      // PostgreSQL's errors have a code; those of the cron parser have none.
      if (error instanceof Error && !("code" in error)) {
        throw new TypeError(`expected \`cron\` to be a cron expression, got "${cron}"`, { cause: error });
      }
      throw error;
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

/** What a settlement wrote, or pg-boss itself when it gave a job up. */
function messageOf(output: unknown): string {
  const { message, value } = (output ?? {}) as { message?: unknown; value?: { message?: unknown } };
  return String(message ?? value?.message ?? "unknown");
}
