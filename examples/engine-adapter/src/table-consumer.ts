import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import {
  carrierFrom,
  envelopeFrom,
  type JobConsumer,
  type JobOutcome,
  type LeasedJob,
  type SettleResult,
} from "@nidus/jobs-durable/backend";
import { type Row, rowsOf, type SqlDatabase } from "./sql-database.ts";
import * as statements from "./statements.ts";

/** A job that a row was leased for. */
export interface TableJob extends LeasedJob {
  /** Made anew for each fetch: it fences what is written about the delivery. */
  readonly lease: string;
}

/** How often a worker that waits looks for jobs. */
const pollMs = 50;

/** How long a fetch waits before it answers with no job. */
const fetchWaitMs = 2_000;

/** Leases the jobs of some names for one worker. */
export class TableConsumer implements JobConsumer<TableJob> {
  readonly #db: SqlDatabase;
  readonly #jobNames: readonly string[];
  readonly #leaseMs: number;

  constructor(db: SqlDatabase, jobNames: readonly string[], leaseMs: number) {
    this.#db = db;
    this.#jobNames = jobNames;
    this.#leaseMs = leaseMs;
  }

  async fetch(limit: number, signal: AbortSignal): Promise<TableJob[]> {
    const endMs = performance.now() + fetchWaitMs;
    while (!signal.aborted && performance.now() < endMs) {
      const values = [this.#jobNames, limit, randomUUID(), this.#leaseMs];
      const rows = await rowsOf(this.#db, statements.lease, values);
      // PGlite answers without a turn of the event loop: timers and sockets need one.
      await nextTurn();
      // Return the leased jobs even if the signal was aborted meanwhile.
      if (rows.length > 0) return rows.sort(inOrder).map(leasedFrom);
      await pause(pollMs, undefined, { signal }).catch(() => {});
    }
    return [];
  }

  async settle({ id, lease, previousCarrier }: TableJob, outcome: JobOutcome): Promise<SettleResult> {
    const state = stateOf(outcome);
    const delayMs = "delayMs" in outcome ? outcome.delayMs : null;
    const error = "error" in outcome ? outcome.error : null;
    const unspent = outcome.type === "released" || outcome.type === "snoozed" ? 1 : 0;
    // A released job keeps the headers of its last retry.
    const headers =
      outcome.type === "released" ? previousCarrier : "carrier" in outcome ? outcome.carrier : undefined;
    const carrier = headers ? JSON.stringify(headers) : null;
    const values = [id, lease, state, delayMs, unspent, error, carrier];
    const [settled] = await rowsOf(this.#db, statements.settle, values);
    const [row] = settled ? [settled] : await rowsOf(this.#db, statements.isSettled, [id, lease, state]);
    if (row?.isOver) await removeJob(this.#db, id);
    return { isRecorded: row !== undefined };
  }

  async renewLeases(jobs: readonly TableJob[]): Promise<void> {
    const [ids, leases] = [jobs.map(({ id }) => id), jobs.map(({ lease }) => lease)];
    await rowsOf(this.#db, statements.renew, [ids, leases, this.#leaseMs]);
  }

  async cancelRequests(jobs: readonly TableJob[]): Promise<string[]> {
    const rows = await rowsOf(this.#db, statements.cancelRequests, [jobs.map(({ id }) => id)]);
    return rows.map(({ id }) => id as string);
  }

  async close(): Promise<void> {}
}

/** Removes a job that is retained no longer. If that fails, the backend removes it when it next deletes ended jobs. */
export async function removeJob(db: SqlDatabase, id: string): Promise<void> {
  await rowsOf(db, statements.remove, [id]).catch(() => {});
}

function stateOf(outcome: JobOutcome): string {
  if (["retried", "snoozed", "released"].includes(outcome.type)) return "pending";
  return outcome.type === "dead-lettered" ? "deadLettered" : outcome.type;
}

/** `UPDATE … RETURNING` has no order of its own. */
function inOrder(a: Row, b: Row): number {
  return Number(a.run_at) - Number(b.run_at) || Number(a.position) - Number(b.position);
}

function leasedFrom(row: Row): TableJob {
  return {
    id: row.id as string,
    name: row.name as string,
    envelope: envelopeFrom(row.envelope),
    attempt: Number(row.attempt),
    maxAttempts: Number(row.max_attempts),
    enqueuedAt: row.enqueued_at as Date,
    runAt: row.run_at as Date,
    isCancelRequested: row.is_cancel_requested as boolean,
    followsStalled: row.follows_stalled as boolean,
    previousCarrier: carrierFrom(row.carrier),
    lease: row.lease as string,
  };
}
