import { setTimeout as pause } from "node:timers/promises";
import type { JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import type { StorageSettings } from "../store/dialect.ts";
import type { LeaseStatements } from "../store/lease-statements.ts";
import { type OutcomeRow, outcomeRow, type PgBossLeasedJob } from "./leased-job.ts";

/** PostgreSQL ended one of two transactions that waited for each other. */
const deadlockCode = "40P01";

/** How long to wait before a repetition, in milliseconds. */
const retryAfterMs = 10;

/** A job, and the row of its outcome. */
interface Settlement {
  readonly job: PgBossLeasedJob;
  readonly row: OutcomeRow;
}

/** The results of a batch by the keys of its rows. A row that has none was refused, and one with "again" is to be tried again. */
type Results = Map<string, SettleResult | "again">;

/** Records outcomes in batches, for as long as their leases hold. Removes jobs that have ended and are not retained. */
export class OutcomeRecorder {
  readonly #db: SqlDatabase;
  readonly #statements: LeaseStatements;
  readonly #settings: StorageSettings;
  readonly #kept = new SettlementBatches((queue, batch) => this.#settle(queue, batch));
  readonly #removed = new SettlementBatches((queue, batch) => this.#remove(queue, batch));
  /** The jobs that an earlier try may have removed, if its answer was lost. */
  readonly #triedToRemove = new WeakSet<PgBossLeasedJob>();

  constructor(db: SqlDatabase, statements: LeaseStatements, settings: StorageSettings) {
    this.#db = db;
    this.#statements = statements;
    this.#settings = settings;
  }

  /** Records one outcome. Resolves when PostgreSQL has recorded or refused it. */
  record(job: PgBossLeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    const isRemoved = job.isRemovedAtEnd && (outcome.type === "succeeded" || outcome.type === "cancelled");
    const row = outcomeRow(job, outcome, this.#settings);
    return (isRemoved ? this.#removed : this.#kept).add({ job, row });
  }

  async #settle(queue: string, batch: readonly Settlement[]): Promise<Results> {
    const results: Results = new Map();
    const rows = batch.map(({ row }) => row);
    for (const row of await this.#settleNow(queue, rows)) results.set(keyOf(row), settleResultFrom(row));
    const rest = rows.filter((row) => !results.has(keyOf(row)));
    if (rest.length > 0) {
      // An earlier try may have recorded these and lost its answer, or another transaction may have locked their rows.
      const recorded = await runSql(this.#db, this.#statements.recorded, settleValues(queue, rest));
      for (const row of recorded)
        results.set(keyOf(row), row.is_settleable ? "again" : settleResultFrom(row));
    }
    await this.#removeCancelled(queue, batch, results);
    return results;
  }

  /** Removes the jobs that were cancelled in place of another outcome, if they are not retained. If that fails, the engine's retention does it. */
  async #removeCancelled(queue: string, batch: readonly Settlement[], results: Results): Promise<void> {
    const isCancelled = (row: OutcomeRow): boolean => {
      const result = results.get(keyOf(row));
      return typeof result === "object" && result.isCancelled === true;
    };
    const gone = batch.filter(({ job, row }) => job.isRemovedAtEnd && isCancelled(row));
    if (gone.length === 0) return;
    const ids = gone.map(({ row }) => row.id);
    await runSql(this.#db, this.#statements.removeCancelled, [queue, ids]).catch(() => {});
  }

  async #settleNow(queue: string, rows: readonly OutcomeRow[]): Promise<readonly Row[]> {
    try {
      return await runSql(this.#db, this.#statements.settle, settleValues(queue, rows));
    } catch (error) {
      // pg-boss locks expired jobs in another order. Nothing was recorded, so the whole batch is tried again.
      if (isDeadlock(error)) return [];
      throw error;
    }
  }

  async #remove(queue: string, batch: readonly Settlement[]): Promise<Results> {
    const rows = batch.map(({ row }) => row);
    const repeated = batch.filter(({ job }) => this.#triedToRemove.has(job));
    for (const { job } of batch) this.#triedToRemove.add(job);
    let removed: readonly Row[];
    try {
      removed = await runSql(this.#db, this.#statements.remove, settleValues(queue, rows));
    } catch (error) {
      if (!isDeadlock(error)) throw error;
      return new Map(rows.map((row) => [keyOf(row), "again"]));
    }
    const keys = new Set(removed.map(keyOf));
    const open = repeated.map(({ row }) => row).filter((row) => !keys.has(keyOf(row)));
    for (const key of await this.#keysOfGone(queue, open)) keys.add(key);
    return new Map([...keys].map((key) => [key, { isRecorded: true }]));
  }

  /** Returns the keys of those jobs that are not there any more: the earlier try has removed them. */
  async #keysOfGone(queue: string, rows: readonly OutcomeRow[]): Promise<readonly string[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    const found = await runSql(this.#db, this.#statements.present, [queue, ids]);
    const present = new Set(found.map(({ id }) => id));
    return rows.filter(({ id }) => !present.has(id)).map(keyOf);
  }
}

/** A settlement that waits for its batch. */
interface PendingSettlement extends Settlement {
  resolve(result: SettleResult | "again"): void;
  reject(error: unknown): void;
}

/**
 * Records settlements in batches, one batch at a time and one statement for each queue of it. Settlements that arrive meanwhile form the next
 * batch: a busy worker gets large batches, and no job waits for a timer.
 */
class SettlementBatches {
  readonly #record: (queue: string, batch: readonly Settlement[]) => Promise<Results>;
  #pending: PendingSettlement[] = [];
  #isRecording = false;

  constructor(record: (queue: string, batch: readonly Settlement[]) => Promise<Results>) {
    this.#record = record;
  }

  async add(settlement: Settlement): Promise<SettleResult> {
    for (;;) {
      const result = await this.#addOnce(settlement);
      if (result !== "again") return result;
      await pause(retryAfterMs);
    }
  }

  #addOnce({ job, row }: Settlement): Promise<SettleResult | "again"> {
    const result = new Promise<SettleResult | "again">((resolve, reject) => {
      this.#pending.push({ job, row, resolve, reject });
    });
    if (!this.#isRecording) {
      this.#isRecording = true;
      // In the next turn of the event loop, so that all settlements of this turn go together.
      setImmediate(() => this.#drain());
    }
    return result;
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        await this.#recordAll(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRecording = false;
  }

  /** Tells the results of each queue at once: a retried job may be fetched, and settled again, before the next queue is recorded. */
  async #recordAll(batch: readonly PendingSettlement[]): Promise<void> {
    for (const queue of new Set(batch.map(({ row }) => row.queue))) {
      const ofQueue = batch.filter(({ row }) => row.queue === queue);
      const results = await this.#record(queue, ofQueue);
      for (const { row, resolve } of ofQueue) resolve(results.get(keyOf(row)) ?? { isRecorded: false });
    }
  }
}

/** The values of the statements that take outcomes. */
function settleValues(queue: string, rows: readonly OutcomeRow[]): unknown[] {
  return [queue, JSON.stringify(rows), rows.map(({ id }) => id)];
}

/** Tells an outcome from the others of its batch. */
function keyOf({ id, lease }: Row | OutcomeRow): string {
  return `${id} ${lease}`;
}

function settleResultFrom(row: Row): SettleResult {
  return { isRecorded: true, isCancelled: row.is_cancelled };
}

function isDeadlock(error: unknown): boolean {
  return (error as { code?: unknown }).code === deadlockCode;
}
