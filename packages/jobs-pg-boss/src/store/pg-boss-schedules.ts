import {
  type FoundSchedule,
  idFromKey,
  type NewJob,
  type ScheduleRecord,
  type ScheduleStore,
  scheduleRecordFrom,
} from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import type { QueueCreator } from "./queue-creator.ts";
import { queueName } from "./queue-name.ts";
import { type ScheduleStatements, scheduleQueue } from "./schedule-statements.ts";

/** Keeps the records of schedules in pg-boss's table of jobs, in a queue of their own. */
export class PgBossSchedules implements ScheduleStore {
  readonly #db: SqlDatabase;
  readonly #statements: ScheduleStatements;
  readonly #queues: QueueCreator;
  readonly #insert: (job: NewJob) => Promise<unknown>;

  /** `queues` creates the queue of the records, and `insert` stores a job unless its id is taken. */
  constructor(
    db: SqlDatabase,
    statements: ScheduleStatements,
    queues: QueueCreator,
    insert: (job: NewJob) => Promise<unknown>,
  ) {
    this.#db = db;
    this.#statements = statements;
    this.#queues = queues;
    this.#insert = insert;
  }

  #run(statement: string, ...values: readonly unknown[]): Promise<Row[]> {
    return runSql(this.#db, statement, values);
  }

  async now(): Promise<number> {
    const [row] = await this.#run(this.#statements.now);
    return Math.floor(row?.now_ms);
  }

  async records(jobName: string | undefined): Promise<readonly FoundSchedule[]> {
    return this.#withStarts(recordsFrom(await this.#run(this.#statements.records, jobName ?? null)));
  }

  async find(jobName: string, key: string | undefined): Promise<FoundSchedule | undefined> {
    const records = recordsFrom(await this.#run(this.#statements.find, idOf(jobName, key)));
    return (await this.#withStarts(records))[0];
  }

  async #withStarts(records: readonly ScheduleRecord[]): Promise<readonly FoundSchedule[]> {
    if (records.length === 0) return [];
    const [queues, ids] = [
      records.map(({ jobName }) => queueName(jobName)),
      records.map(({ nextId }) => nextId),
    ];
    const rows = await this.#run(this.#statements.starts(new Set(queues).size), queues, ids);
    const starts = new Map(rows.map(({ id, start_at_ms }) => [id, start_at_ms]));
    return records.map((record) => {
      const { nextId, nextRunAtMs } = record;
      return { record, startAtMs: starts.has(nextId) ? (starts.get(nextId) ?? nextRunAtMs) : undefined };
    });
  }

  async findStarted(jobNames: readonly string[]): Promise<readonly ScheduleRecord[]> {
    const statement = this.#statements.findStarted(jobNames.length);
    return recordsFrom(await this.#run(statement, jobNames.map(queueName), jobNames));
  }

  async put(record: ScheduleRecord, replacedId: string | undefined): Promise<boolean> {
    const { add, replace } = this.#statements;
    const values = [idOf(record.jobName, record.rule.key), JSON.stringify(record)];
    if (replacedId !== undefined) return (await this.#run(replace, ...values, replacedId)).length > 0;
    await this.#queues.ensure([scheduleQueue]);
    return (await this.#run(add, ...values)).length > 0;
  }

  async remove({ jobName, rule, nextId }: ScheduleRecord): Promise<boolean> {
    return (await this.#run(this.#statements.remove, idOf(jobName, rule.key), nextId)).length > 0;
  }

  async insert(job: NewJob): Promise<void> {
    await this.#insert(job);
  }

  async removeWaiting(jobName: string, jobId: string): Promise<void> {
    await this.#run(this.#statements.removeWaiting, queueName(jobName), jobId);
  }
}

function idOf(jobName: string, key: string | undefined): string {
  return idFromKey(jobName, key === undefined ? "schedule" : `schedule ${key}`);
}

/** Leaves out what other programs have stored there. */
function recordsFrom(rows: readonly Row[]): ScheduleRecord[] {
  return rows.map(({ data }) => scheduleRecordFrom(data)).filter((record) => record !== undefined);
}
