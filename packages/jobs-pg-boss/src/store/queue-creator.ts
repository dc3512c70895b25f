import { setTimeout as pause } from "node:timers/promises";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { runSql } from "../database/run-sql.ts";
import type { QueueStatements } from "./queue-statements.ts";

/** Other programs create queues too. If two transactions wait for each other, PostgreSQL ends one, which then tries again. */
const maxTries = 10;
const maxPauseMs = 200;

const deadlockCode = "40P01";

/** Queues created in one transaction: in pg-boss 10 each is a table with indexes, and other processes wait for the transaction. */
const queuesPerTransaction = 5;

/** Creates the engine's queues. It remembers none of them, because other programs may delete any. */
export class QueueCreator {
  readonly #db: SqlDatabase;
  readonly #statements: QueueStatements;
  #lastCreation: Promise<void> = Promise.resolve();

  constructor(db: SqlDatabase, statements: QueueStatements) {
    this.#db = db;
    this.#statements = statements;
  }

  /** Creates missing queues, and marks all as the engine's own. If there is nothing to do, this costs one query. */
  async ensure(queues: readonly string[]): Promise<void> {
    const rows = await runSql(this.#db, this.#statements.ownQueues, [JSON.stringify(queues)]);
    const own = new Set(rows.map(({ name }) => name as string));
    const missing = queues.filter((queue) => !own.has(queue));
    for (let start = 0; start < missing.length; start += queuesPerTransaction) {
      await this.#afterLast(() => this.#create(missing.slice(start, start + queuesPerTransaction)));
    }
  }

  /** Creates a queue in the caller's transaction, whose snapshot may be too old to see a queue that is created outside. */
  async createWithin(db: SqlDatabase, queue: string): Promise<void> {
    await runSql(db, this.#statements.createQueues, [JSON.stringify([queue])]);
  }

  /** Runs one creation after the other: each changes tables, and locks what the next one needs. */
  #afterLast(create: () => Promise<void>): Promise<void> {
    const created = this.#lastCreation.then(create);
    this.#lastCreation = created.catch(() => {});
    return created;
  }

  async #create(queues: readonly string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await runSql(this.#db, this.#statements.createQueues, [JSON.stringify(queues)]);
        return;
      } catch (error) {
        const isDeadlock = (error as { code?: unknown }).code === deadlockCode;
        if (!isDeadlock || tries === maxTries) throw error;
        await pause(Math.random() * maxPauseMs);
      }
    }
  }
}
