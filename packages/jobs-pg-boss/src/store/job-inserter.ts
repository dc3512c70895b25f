import type { EnqueuedJob } from "@nidus/jobs-durable";
import type { NewJob } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { runSql } from "../database/run-sql.ts";
import { retryLimitOf } from "./dialect.ts";
import type { QueueCreator } from "./queue-creator.ts";
import { queueName } from "./queue-name.ts";
import type { InsertedColumns, QueueStatements } from "./queue-statements.ts";

/** Stores new jobs, each later than the one before, and creates their queue if it is missing. */
export class JobInserter {
  readonly #db: SqlDatabase;
  readonly #statements: QueueStatements;
  readonly #queues: QueueCreator;
  /** PostgreSQL's time of the last job that this process stored, in microseconds. */
  #lastStoredUs = "0";

  constructor(db: SqlDatabase, statements: QueueStatements, queues: QueueCreator) {
    this.#db = db;
    this.#statements = statements;
    this.#queues = queues;
  }

  /**
   * Stores jobs of one name, in the caller's transaction if `db` is given. Resolves to which of them are duplicates.
   *
   * @throws (rejects with) Error if PostgreSQL did not store them.
   */
  async insert(jobs: readonly NewJob[], db: SqlDatabase | undefined): Promise<readonly EnqueuedJob[]> {
    const [{ name, hasIdempotencyKey }] = jobs as [NewJob];
    const queue = queueName(name);
    const values = [queue, this.#lastStoredUs, `[${jobs.map(insertedJob).join(",")}]`];
    const statement = this.#statements.insert(hasIdempotencyKey);
    let [answer] = await runSql(db ?? this.#db, statement, values);
    if (!answer?.is_own_queue) {
      await this.#createQueue(queue, db, answer?.sees_other_connections);
      [answer] = await runSql(db ?? this.#db, statement, values);
    }
    if (!answer?.is_own_queue || (!hasIdempotencyKey && answer.stored !== jobs.length)) {
      throw new Error(
        `PostgreSQL stored ${answer?.stored ?? 0} of ${jobs.length} jobs in the queue ${queue}`,
      );
    }
    this.#lastStoredUs = answer.last_us ?? this.#lastStoredUs;
    if (!hasIdempotencyKey) return jobs.map(({ id }) => ({ id, isDuplicate: false }));
    const ids = new Set(String(answer.ids ?? "").split(","));
    return jobs.map(({ id }) => ({ id, isDuplicate: !ids.has(id) }));
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

/** The JSON text of a job as the statement takes it. The envelope stands in it as it is. */
function insertedJob({ id, envelopeText, runAt, maxAttempts }: NewJob): string {
  const columns: InsertedColumns = {
    id,
    run_at: runAt?.toISOString(),
    max_attempts: retryLimitOf({ maxAttempts }),
  };
  return `{"data":${envelopeText},${JSON.stringify(columns).slice(1)}`;
}
