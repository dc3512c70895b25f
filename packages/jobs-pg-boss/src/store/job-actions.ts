import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { isUuid } from "./is-uuid.ts";
import type { JobCounter } from "./job-counter.ts";
import type { JobStatements } from "./job-statements.ts";
import { queueName } from "./queue-name.ts";

/** PostgreSQL ended one of two transactions that waited for each other. It recorded nothing, and is tried again. */
const deadlockCode = "40P01";
const maxTries = 5;

/** Does what callers ask for jobs that are stored. */
export class JobActions {
  readonly #db: SqlDatabase;
  readonly #statements: JobStatements;
  readonly #counter: JobCounter;

  /** Each action changes what `counter` has counted. */
  constructor(db: SqlDatabase, statements: JobStatements, counter: JobCounter) {
    this.#db = db;
    this.#statements = statements;
    this.#counter = counter;
  }

  /** Resolves to the queue of the cancelled job. */
  async cancel(jobId: string): Promise<string | undefined> {
    if (!isUuid(jobId)) return undefined;
    const rows = await this.#change(this.#statements.cancel, [jobId]);
    await this.#removeUnretained(rows);
    return rows[0]?.name;
  }

  async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#change(this.#statements.cancelAll, [queueName(jobName), jobIds.filter(isUuid)]);
    await this.#removeUnretained(rows);
    return rows.map(({ id }) => id);
  }

  /** Resolves to the queue of the redriven job. */
  async redrive(jobId: string): Promise<string | undefined> {
    if (!isUuid(jobId)) return undefined;
    return (await this.#change(this.#statements.redrive, [jobId]))[0]?.name;
  }

  async redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const values = [queueName(jobName), jobIds.filter(isUuid)];
    return (await this.#change(this.#statements.redriveAll, values)).map(({ id }) => id);
  }

  /** Resolves to the queue of the moved job. */
  async reschedule(jobId: string, runAt: Date): Promise<string | undefined> {
    if (!isUuid(jobId)) return undefined;
    return (await runSql(this.#db, this.#statements.reschedule, [jobId, runAt]))[0]?.name;
  }

  async #removeUnretained(rows: readonly Row[]): Promise<void> {
    const ids = rows.filter((row) => row.is_to_remove === true).map(({ id }) => id);
    if (ids.length > 0) await runSql(this.#db, this.#statements.removeCancelled, [ids]);
  }

  async #change(statement: string, values: readonly unknown[]): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        const rows = await runSql(this.#db, statement, values);
        if (rows.length > 0) this.#counter.forget();
        return rows;
      } catch (error) {
        if ((error as { code?: unknown }).code !== deadlockCode || tries === maxTries) throw error;
      }
    }
  }
}
