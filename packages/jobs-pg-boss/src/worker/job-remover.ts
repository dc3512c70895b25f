import { setTimeout as pause } from "node:timers/promises";
import type { SettleResult } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import type { LeaseStatements } from "../store/lease-statements.ts";
import { Batcher } from "./batcher.ts";
import type { PgBossLeasedJob } from "./leased-job.ts";
import { deadlockCode, keyOf, type OutcomeRow, retryAfterMs, settleValues } from "./outcome-recorder.ts";

interface Removal {
  readonly row: OutcomeRow;
  /** Whether an earlier try may have removed the job and lost its answer. */
  readonly isRepeated: boolean;
}

/** Removes jobs that have ended and are not retained, in batches, for as long as their leases hold. */
export class JobRemover {
  readonly #db: SqlDatabase;
  readonly #statements: LeaseStatements;
  readonly #batcher: Batcher<Removal, SettleResult | "deadlock">;
  readonly #tried = new WeakSet<PgBossLeasedJob>();

  constructor(db: SqlDatabase, statements: LeaseStatements) {
    this.#db = db;
    this.#statements = statements;
    this.#batcher = new Batcher((removals) => this.#removeBatch(removals));
  }

  /** Removes one job. Resolves when PostgreSQL has removed it or refused that. */
  async remove(job: PgBossLeasedJob, row: OutcomeRow): Promise<SettleResult> {
    for (;;) {
      const isRepeated = this.#tried.has(job);
      this.#tried.add(job);
      const result = await this.#batcher.add({ row, isRepeated });
      if (result !== "deadlock") return result;
      await pause(retryAfterMs);
    }
  }

  async #removeBatch(removals: readonly Removal[]): Promise<readonly (SettleResult | "deadlock")[]> {
    const results = new Map<string, SettleResult | "deadlock">();
    for (const queue of new Set(removals.map(({ row }) => row.queue))) {
      const batch = removals.filter(({ row }) => row.queue === queue);
      for (const [key, result] of await this.#remove(queue, batch)) results.set(key, result);
    }
    return removals.map(({ row }) => results.get(keyOf(row)) ?? { isRecorded: false });
  }

  async #remove(
    queue: string,
    batch: readonly Removal[],
  ): Promise<readonly (readonly [string, SettleResult | "deadlock"])[]> {
    const rows = batch.map(({ row }) => row);
    let removed: readonly Row[];
    try {
      removed = await runSql(this.#db, this.#statements.remove, settleValues(queue, rows));
    } catch (error) {
      if ((error as { code?: unknown }).code !== deadlockCode) throw error;
      return rows.map((row) => [keyOf(row), "deadlock"]);
    }
    const keys = new Set(removed.map(keyOf));
    const open = batch.filter(({ row, isRepeated }) => isRepeated && !keys.has(keyOf(row)));
    for (const key of await this.#keysOfGone(queue, open)) keys.add(key);
    return [...keys].map((key) => [key, { isRecorded: true }]);
  }

  /** Returns the keys of those jobs that are not there any more: the earlier try has removed them. */
  async #keysOfGone(queue: string, removals: readonly Removal[]): Promise<readonly string[]> {
    if (removals.length === 0) return [];
    const ids = removals.map(({ row }) => row.id);
    const present = new Set(
      (await runSql(this.#db, this.#statements.present, [queue, ids])).map(({ id }) => id),
    );
    return removals.filter(({ row }) => !present.has(row.id)).map(({ row }) => keyOf(row));
  }
}
