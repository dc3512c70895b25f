import { formatValue } from "@nidus/jobs-core/adapter";
import type {
  DeadLetter,
  EngineCapabilities,
  EnqueuedJob,
  EnqueueOptions,
  JobCounts,
} from "@nidus/jobs-durable";
import {
  envelopeFrom,
  type JobBackend,
  type NameBacklog,
  type NewJob,
  type Retention,
} from "@nidus/jobs-durable/backend";
import { rowsOf, type SqlDatabase } from "./sql-database.ts";
import * as statements from "./statements.ts";
import { removeJob, TableConsumer, type TableJob } from "./table-consumer.ts";

/** Options of `enqueue` that only this engine has. */
export interface TableEnqueueOptions extends EnqueueOptions {
  /** A transaction of the caller's: the job is stored if it commits. */
  readonly db?: SqlDatabase | undefined;
}

/** Settings that were checked. */
export interface TableSettings {
  readonly leaseMs: number;
  readonly retention: Retention;
  readonly onError: (error: unknown) => void;
}

/** How often jobs are deleted that are retained no longer. */
function forgetEveryMs({ retainSucceededMs, retainDeadLettersMs }: Retention): number {
  return Math.max(1_000, Math.min(60_000, retainSucceededMs, retainDeadLettersMs));
}

/** Jobs in one table. */
export class TableBackend implements JobBackend<TableJob, TableEnqueueOptions> {
  readonly name = "table";
  readonly address = "your database";
  readonly leaseMs: number;
  readonly capabilities: EngineCapabilities = {
    persistence: true,
    schedules: false,
    scheduleKeys: false,
    intervals: false,
    transactions: true,
    priorities: false,
    uniqueKeys: false,
    // The envelope is JSON text, in which they are escapes.
    nullCharacters: true,
    listing: false,
    results: false,
    progress: false,
    snoozing: true,
  };
  readonly enqueueOptions = { db: requireDatabase };
  readonly #db: SqlDatabase;
  readonly #settings: TableSettings;
  #timer: NodeJS.Timeout | undefined;

  constructor(db: SqlDatabase, settings: TableSettings) {
    this.#db = db;
    this.#settings = settings;
    this.leaseMs = settings.leaseMs;
  }

  queueOf(): string {
    return "jobs";
  }

  async start(): Promise<void> {
    for (const statement of statements.createTable) await rowsOf(this.#db, statement);
    await this.#forget();
    const forget = (): Promise<void> => this.#forget().catch(this.#settings.onError);
    this.#timer = setInterval(forget, forgetEveryMs(this.#settings.retention)).unref();
  }

  async #forget(): Promise<void> {
    const { retainSucceededMs, retainDeadLettersMs } = this.#settings.retention;
    await rowsOf(this.#db, statements.forget, [retainSucceededMs, retainDeadLettersMs]);
  }

  async insert(jobs: readonly NewJob[], { db = this.#db }: TableEnqueueOptions): Promise<EnqueuedJob[]> {
    const rows = jobs.map(({ id, name, envelopeText, maxAttempts, runAt, retainMs }) => ({
      ...{ id, name, envelope: envelopeText },
      max_attempts: maxAttempts,
      run_at: runAt,
      retain_ms: retainMs,
    }));
    const stored = new Set((await rowsOf(db, statements.insert, [JSON.stringify(rows)])).map(({ id }) => id));
    return jobs.map(({ id }) => ({ id, isDuplicate: !stored.has(id) }));
  }

  async consumer(jobNames: readonly string[]): Promise<TableConsumer> {
    return new TableConsumer(this.#db, jobNames, this.leaseMs);
  }

  async cancel(jobId: string): Promise<boolean> {
    const [row] = await rowsOf(this.#db, statements.cancel, [jobId]);
    if (row?.isOver) await removeJob(this.#db, jobId);
    return row !== undefined;
  }

  async redrive(jobId: string): Promise<boolean> {
    return (await rowsOf(this.#db, statements.redrive, [jobId])).length > 0;
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    const rows = await rowsOf(this.#db, statements.counts);
    return new Map(
      rows.map(({ name, oldestWaitingAt, ...counts }) => [
        name as string,
        { ...counts, oldestWaitingAt: oldestWaitingAt ?? undefined } as JobCounts,
      ]),
    );
  }

  async backlog(): Promise<readonly NameBacklog[]> {
    const rows = await rowsOf(this.#db, statements.backlog);
    return rows.map(({ oldestWaitingAt, oldestDeadLetterAt, ...row }) => ({
      ...(row as Pick<NameBacklog, "jobName" | "waiting" | "deadLettered">),
      oldestWaitingAt: (oldestWaitingAt as Date | null) ?? undefined,
      oldestDeadLetterAt: (oldestDeadLetterAt as Date | null) ?? undefined,
    }));
  }

  async ping(): Promise<void> {
    await rowsOf(this.#db, "SELECT 1");
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const rows = await rowsOf(this.#db, statements.deadLetters, [limit]);
    return rows.map((row) => ({
      id: row.id as string,
      jobName: row.name as string,
      payload: envelopeFrom(row.envelope).payload,
      attempts: Number(row.attempt),
      error: row.error as string,
      failedAt: row.ended_at as Date,
    }));
  }

  /** The database is the caller's, and stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
  }
}

/** @throws TypeError for what has no `query`. */
export function requireDatabase(db: unknown): void {
  if (typeof (db as SqlDatabase | null)?.query === "function") return;
  throw new TypeError(`expected \`db\` to be a database with \`query\`, got ${formatValue(db)}`);
}
