import { setTimeout as pause } from "node:timers/promises";
import { errorsAfter, type JobOutcome, type SettleResult } from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import { maxInteger, type StorageSettings } from "../store/dialect.ts";
import type { LeaseStatements } from "../store/lease-statements.ts";
import { queueName } from "../store/queue-name.ts";
import { Batcher } from "./batcher.ts";
import type { PgBossLeasedJob } from "./leased-job.ts";

/** PostgreSQL ended one of two transactions that waited for each other. */
export const deadlockCode: string = "40P01";

/** How long to wait before a repetition, in milliseconds. */
export const retryAfterMs: number = 10;

/** PostgreSQL has no dates beyond some 290,000 years. */
const maxDelayMs = 1000 * 365 * 24 * 60 * 60 * 1000;

/** An outcome in the columns that the statement `settle` takes. */
export interface OutcomeRow {
  readonly queue: string;
  readonly id: string;
  readonly lease: string;
  readonly retry_count: number;
  readonly enqueued_at: Date;
  readonly state: string;
  readonly delay_ms?: number;
  readonly is_released?: boolean;
  /** Whether the delivery gives its attempt back. */
  readonly is_unspent?: boolean;
  readonly output: object;
  /** The errors of all attempts, if this one has failed. */
  readonly errors?: readonly object[] | undefined;
  readonly deletion_seconds?: number;
}

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

/**
 * Builds the row of an outcome. The lease stays in the output, so that a repeated `settle` finds what an earlier one recorded. A result
 * and a progress stand beside it, as `result` and `progress`.
 */
export function outcomeRow(job: PgBossLeasedJob, outcome: JobOutcome, settings: StorageSettings): OutcomeRow {
  const { id, name, lease, retryCount, enqueuedAt } = job;
  const message = "error" in outcome ? { message: outcome.error } : {};
  // A released job keeps the headers of its last retry.
  const carrier =
    outcome.type === "released" ? job.previousCarrier : "carrier" in outcome ? outcome.carrier : undefined;
  const resultText = outcome.type === "succeeded" ? outcome.resultText : undefined;
  const result = resultText === undefined ? {} : { result: JSON.parse(resultText) as unknown };
  return {
    queue: queueName(name),
    id,
    lease,
    retry_count: retryCount,
    enqueued_at: enqueuedAt,
    output: { ...message, ...result, lease, carrier, progress: outcome.progress },
    errors: errorsAfter(job.errors, job, outcome),
    ...columnsOf(outcome, settings),
  };
}

function columnsOf(
  outcome: JobOutcome,
  { retainDeadLettersSeconds }: StorageSettings,
): Pick<OutcomeRow, "state" | "delay_ms" | "is_released" | "is_unspent" | "deletion_seconds"> {
  switch (outcome.type) {
    case "succeeded":
      return { state: "completed" };
    case "retried":
      return { state: "retry", delay_ms: Math.min(outcome.delayMs, maxDelayMs) };
    case "snoozed":
      return { state: "retry", delay_ms: outcome.delayMs, is_unspent: true };
    case "dead-lettered":
      return { state: "failed", deletion_seconds: Math.min(retainDeadLettersSeconds, maxInteger) };
    case "cancelled":
      return { state: "cancelled" };
    case "released":
      return { state: "retry", is_released: true, is_unspent: true };
  }
}
