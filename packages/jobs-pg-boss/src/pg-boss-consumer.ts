import { setTimeout as pause } from "node:timers/promises";
import type { JobConsumer, JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import { Batcher } from "./batcher.ts";
import { type Row, runSql } from "./database.ts";
import type { StorageSettings } from "./dialect.ts";
import type { LeaseStatements } from "./lease-statements.ts";
import { leasedFrom, type PgBossLeasedJob } from "./leased-job.ts";
import { LostFetches } from "./lost-fetches.ts";
import { type OutcomeRow, outcomeRow } from "./outcome-row.ts";
import type { SqlDatabase } from "./pg-boss-like.ts";
import { queueName } from "./queue-name.ts";
import type { Wakeup } from "./wakeup.ts";

/** PostgreSQL has ended one of two transactions that waited for each other. */
const deadlockCode = "40P01";

/** A unique index of pg-boss's for jobs of other programs: one with this key is active. */
const uniqueViolationCode = "23505";

const settleAgainMs = 10;

/** Fetches from pg-boss's table by polling, and settles in batches. */
export class PgBossConsumer implements JobConsumer<PgBossLeasedJob> {
  readonly #db: SqlDatabase;
  readonly #statements: LeaseStatements;
  readonly #settings: StorageSettings;
  readonly #wakeup: Wakeup;
  readonly #queues: string[];
  readonly #settlements: Batcher<OutcomeRow, SettleResult | "open">;
  readonly #lostFetches: LostFetches;
  #isBusy = false;

  constructor(
    db: SqlDatabase,
    statements: LeaseStatements,
    settings: StorageSettings,
    wakeup: Wakeup,
    jobNames: readonly string[],
  ) {
    this.#db = db;
    this.#statements = statements;
    this.#settings = settings;
    this.#wakeup = wakeup;
    this.#queues = jobNames.map(queueName);
    this.#settlements = new Batcher((rows) => this.#record(rows));
    this.#lostFetches = new LostFetches(settings.leaseSeconds * 1000);
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly PgBossLeasedJob[]> {
    const { changes } = this.#wakeup;
    const jobs = await this.#fetchDue(limit);
    this.#isBusy = jobs.length > 0;
    if (jobs.length === 0) await this.#wakeup.wait(changes, signal);
    return jobs;
  }

  async #fetchDue(limit: number): Promise<PgBossLeasedJob[]> {
    const lease = this.#lostFetches.newLease();
    const jobs: PgBossLeasedJob[] = [];
    const add = (rows: readonly Row[]): void => void jobs.push(...rows.map((row) => leasedFrom(row, lease)));
    try {
      const lost = this.#lostFetches.leases();
      if (lost.length > 0) {
        add(await runSql(this.#db, this.#statements.fetchAgain, [this.#queues, limit, lease, lost]));
        this.#lostFetches.found(jobs.length);
      }
      for (const queue of await this.#dueQueues()) {
        if (jobs.length === limit) break;
        add(await this.#lease(queue, limit - jobs.length, lease));
      }
    } catch (error) {
      this.#lostFetches.add(lease);
      throw error;
    }
    return jobs;
  }

  async #lease(queue: string, limit: number, lease: string): Promise<Row[]> {
    try {
      return await runSql(this.#db, this.#statements.fetch, [queue, limit, lease]);
    } catch (error) {
      if ((error as { code?: unknown }).code !== uniqueViolationCode) throw error;
      return limit === 1 ? [] : this.#lease(queue, 1, lease);
    }
  }

  /** The queues in turn, so that none has to wait for the others to be empty. */
  async #dueQueues(): Promise<readonly string[]> {
    // A queue that had work a moment ago is asked at once: this saves a question a batch.
    if (this.#queues.length === 1 && this.#isBusy) return this.#queues;
    this.#queues.push(this.#queues.shift() as string);
    const rows = await runSql(this.#db, this.#statements.dueQueues, [this.#queues]);
    return rows.map(({ name }) => name as string);
  }

  async settle(job: PgBossLeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    const row = outcomeRow(job, outcome, this.#settings);
    let settled = await this.#settlements.add(row);
    while (settled === "open") {
      await pause(settleAgainMs);
      settled = await this.#settlements.add(row);
    }
    if (outcome.type === "retried") this.#wakeup.in(outcome.delayMs);
    if (outcome.type === "released") this.#wakeup.now();
    return settled;
  }

  async #record(rows: readonly OutcomeRow[]): Promise<readonly (SettleResult | "open")[]> {
    const answers = new Map<string, SettleResult | "open">();
    for (const queue of new Set(rows.map((row) => row.queue))) {
      const batch = rows.filter((row) => row.queue === queue);
      for (const row of await this.#settleAll(queue, batch)) answers.set(keyOf(row), recordedFrom(row));
      const rest = batch.filter((row) => !answers.has(keyOf(row)));
      if (rest.length === 0) continue;
      // The answer to an earlier try may have been lost, and a row may have been another transaction's a moment ago.
      const recorded = await runSql(this.#db, this.#statements.recorded, valuesOf(queue, rest));
      for (const row of recorded) answers.set(keyOf(row), row.is_open ? "open" : recordedFrom(row));
    }
    return rows.map((row) => answers.get(keyOf(row)) ?? { isRecorded: false });
  }

  async #settleAll(queue: string, batch: readonly OutcomeRow[]): Promise<readonly Row[]> {
    try {
      return await runSql(this.#db, this.#statements.settle, valuesOf(queue, batch));
    } catch (error) {
      // pg-boss looks for expired jobs in an order of its own. Nothing was recorded, and all is tried again.
      if ((error as { code?: unknown }).code === deadlockCode) return [];
      throw error;
    }
  }

  /** Locked rows are passed over: which leases are lost is not told. */
  async renewLeases(jobs: readonly PgBossLeasedJob[]): Promise<void> {
    await runSql(this.#db, this.#statements.renewLeases, heldValues(jobs));
  }

  async cancelRequests(jobs: readonly PgBossLeasedJob[]): Promise<readonly string[]> {
    const rows = await runSql(this.#db, this.#statements.cancelRequests, heldValues(jobs));
    return rows.filter((row) => row.is_cancel_requested).map(({ id }) => id as string);
  }

  async close(): Promise<void> {}
}

function valuesOf(queue: string, batch: readonly OutcomeRow[]): unknown[] {
  return [queue, JSON.stringify(batch), batch.map(({ id }) => id)];
}

function heldValues(jobs: readonly PgBossLeasedJob[]): unknown[] {
  const queues = [...new Set(jobs.map(({ name }) => queueName(name)))];
  return [queues, jobs.map(({ id }) => id), jobs.map(({ lease }) => lease)];
}

function keyOf({ id, lease }: Row | OutcomeRow): string {
  return `${id} ${lease}`;
}

function recordedFrom(row: Row): SettleResult {
  return { isRecorded: true, isCancelled: row.is_cancelled };
}
