import { setTimeout as pause } from "node:timers/promises";
import type { SettleResult } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import type { LeaseStatements } from "../store/lease-statements.ts";
import { Batcher } from "./batcher.ts";
import type { OutcomeRow } from "./outcome-row.ts";

/** PostgreSQL ended one of two transactions that waited for each other. */
export const deadlockCode: string = "40P01";

/** How long to wait before a repetition, in milliseconds. */
export const retryAfterMs: number = 10;

/** Records outcomes in batches, one statement per queue, for as long as their leases hold. */
export class OutcomeRecorder {
  readonly #db: SqlDatabase;
  readonly #statements: LeaseStatements;
  readonly #batcher: Batcher<OutcomeRow, SettleResult | "settleable">;

  constructor(db: SqlDatabase, statements: LeaseStatements) {
    this.#db = db;
    this.#statements = statements;
    this.#batcher = new Batcher((rows) => this.#recordBatch(rows));
  }

  /** Records one outcome. Resolves when PostgreSQL has recorded or refused it. */
  async record(row: OutcomeRow): Promise<SettleResult> {
    for (;;) {
      const result = await this.#batcher.add(row);
      if (result !== "settleable") return result;
      await pause(retryAfterMs);
    }
  }

  async #recordBatch(rows: readonly OutcomeRow[]): Promise<readonly (SettleResult | "settleable")[]> {
    const results = new Map<string, SettleResult | "settleable">();
    for (const queue of new Set(rows.map((row) => row.queue))) {
      const batch = rows.filter((row) => row.queue === queue);
      for (const row of await this.#settle(queue, batch)) results.set(keyOf(row), settleResultFrom(row));
      const rest = batch.filter((row) => !results.has(keyOf(row)));
      if (rest.length === 0) continue;
      // An earlier try may have recorded these and lost its answer, or another transaction may have locked their rows.
      const recorded = await runSql(this.#db, this.#statements.recorded, settleValues(queue, rest));
      for (const row of recorded)
        results.set(keyOf(row), row.is_settleable ? "settleable" : settleResultFrom(row));
    }
    return rows.map((row) => results.get(keyOf(row)) ?? { isRecorded: false });
  }

  async #settle(queue: string, batch: readonly OutcomeRow[]): Promise<readonly Row[]> {
    try {
      return await runSql(this.#db, this.#statements.settle, settleValues(queue, batch));
    } catch (error) {
      // pg-boss locks expired jobs in another order. Nothing was recorded, so the whole batch is tried again.
      if ((error as { code?: unknown }).code === deadlockCode) return [];
      throw error;
    }
  }
}

/** The values of the statement `settle`. */
export function settleValues(queue: string, batch: readonly OutcomeRow[]): unknown[] {
  return [queue, JSON.stringify(batch), batch.map(({ id }) => id)];
}

/** Tells an outcome from the others of its batch. */
export function keyOf({ id, lease }: Row | OutcomeRow): string {
  return `${id} ${lease}`;
}

function settleResultFrom(row: Row): SettleResult {
  return { isRecorded: true, isCancelled: row.is_cancelled };
}
