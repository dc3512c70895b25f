import { setTimeout as pause } from "node:timers/promises";
import { runSql } from "./database.ts";
import type { SqlDatabase } from "./pg-boss-like.ts";
import type { QueueStatements } from "./queue-statements.ts";

/** PostgreSQL ends one of two transactions that wait for each other, which then tries again: other programs create queues too. */
const createTries = 10;
const createPauseMs = 200;

/** Queues created in one transaction. In pg-boss 10 each is a table with indexes, and others wait for the transaction. */
const createAtOnce = 5;

/** Creates the engine's queues. It keeps no list of them: other programs may delete any. */
export class Queues {
  readonly #db: SqlDatabase;
  readonly #statements: QueueStatements;
  #turn: Promise<void> = Promise.resolve();

  constructor(db: SqlDatabase, statements: QueueStatements) {
    this.#db = db;
    this.#statements = statements;
  }

  /** Creates those of the queues that are missing, and makes them all the engine's own. Costs one query if there is nothing to do. */
  async require(queues: readonly string[]): Promise<void> {
    const rows = await runSql(this.#db, this.#statements.ownQueues, [JSON.stringify(queues)]);
    const own = new Set(rows.map(({ name }) => name as string));
    const missing = queues.filter((queue) => !own.has(queue));
    for (let start = 0; start < missing.length; start += createAtOnce) {
      await this.#inTurn(() => this.#create(missing.slice(start, start + createAtOnce)));
    }
  }

  /** Creates a queue within the caller's transaction, whose snapshot may be too old to see one created outside. */
  async createWithin(db: SqlDatabase, queue: string): Promise<void> {
    await runSql(db, this.#statements.createQueues, [JSON.stringify([queue])]);
  }

  /** One creation after the other: each changes tables, and locks what the next one needs. */
  #inTurn(create: () => Promise<void>): Promise<void> {
    const created = this.#turn.then(create);
    this.#turn = created.catch(() => {});
    return created;
  }

  async #create(queues: readonly string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await runSql(this.#db, this.#statements.createQueues, [JSON.stringify(queues)]);
        return;
      } catch (error) {
        const isDeadlock = (error as { code?: unknown }).code === "40P01";
        if (!isDeadlock || tries === createTries) throw error;
        await pause(Math.random() * createPauseMs);
      }
    }
  }
}
