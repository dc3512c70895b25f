import type { StoredJobProgress } from "@nidus/jobs-durable";
import {
  isOfSchedule,
  type JobConsumer,
  type JobOutcome,
  type SettleResult,
} from "@nidus/jobs-durable/backend";
import type { SqlDatabase } from "../database/pg-boss-like.ts";
import { type Row, runSql } from "../database/run-sql.ts";
import type { StorageSettings } from "../store/dialect.ts";
import type { LeaseStatements } from "../store/lease-statements.ts";
import { jobName, queueName } from "../store/queue-name.ts";
import type { JobSignals } from "./job-signals.ts";
import { leasedJobFrom, type PgBossLeasedJob } from "./leased-job.ts";
import { LostFetches } from "./lost-fetches.ts";
import { OutcomeRecorder } from "./outcome-recorder.ts";
import type { PollWait } from "./poll-wakeup.ts";

/** pg-boss has a unique index on the keys of other programs' jobs: another job with the same key is active. */
const uniqueViolationCode = "23505";

/** How often a consumer looks for schedules whose next run is gone. */
const lookEveryMs = 30_000;

/** The parts of a backend that its consumers use. */
export interface ConsumerSetUp {
  readonly settings: StorageSettings;
  readonly signals: JobSignals;
  /** Called with the names of jobs whose schedules may lack a next run. */
  onScheduled(jobNames: readonly string[]): Promise<void>;
}

/** Fetches jobs from pg-boss's table when it is told of them or polls, and settles them in batches. */
export class PgBossConsumer implements JobConsumer<PgBossLeasedJob> {
  readonly #db: SqlDatabase;
  readonly #statements: LeaseStatements;
  readonly #signals: JobSignals;
  readonly #wait: PollWait;
  readonly #queues: string[];
  readonly #outcomes: OutcomeRecorder;
  readonly #lostFetches: LostFetches;
  readonly #onScheduled: ConsumerSetUp["onScheduled"];
  #hadJobs = false;
  #wasTold = false;
  #nextLookAtMs = 0;

  constructor(
    db: SqlDatabase,
    statements: LeaseStatements,
    { settings, signals, onScheduled }: ConsumerSetUp,
    jobNames: readonly string[],
  ) {
    this.#db = db;
    this.#onScheduled = onScheduled;
    this.#statements = statements;
    this.#signals = signals;
    this.#queues = jobNames.map(queueName);
    this.#wait = signals.join(this.#queues);
    this.#outcomes = new OutcomeRecorder(db, statements, settings);
    this.#lostFetches = new LostFetches(settings.leaseSeconds * 1000);
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly PgBossLeasedJob[]> {
    const jobs = await this.#fetchDue(limit);
    this.#hadJobs = jobs.length > 0;
    if (this.#hadJobs) {
      this.#wait.foundJobs();
      return jobs;
    }
    if (this.#wasTold) this.#wait.foundNone();
    await this.#wait.sleep(signal);
    return [];
  }

  async #fetchDue(limit: number): Promise<PgBossLeasedJob[]> {
    const lease = this.#lostFetches.newLease();
    const jobs: PgBossLeasedJob[] = [];
    const scheduled: string[] = [];
    const add = (rows: Row[]): void => {
      jobs.push(...rows.sort(byOrder).map((row) => leasedJobFrom(row, lease)));
      scheduled.push(...rows.filter(({ data }) => isOfSchedule(data)).map(({ name }) => jobName(name)));
    };
    try {
      const lost = this.#lostFetches.leasesToFind();
      if (lost.length > 0) {
        for (const queue of this.#queues) {
          if (jobs.length === limit) break;
          const values = [queue, limit - jobs.length, lease, lost];
          add(await runSql(this.#db, this.#statements.fetchAgain, values));
        }
        this.#lostFetches.noteFound(jobs.length);
      }
      for (const queue of await this.#dueQueues()) {
        if (jobs.length === limit) break;
        add(await this.#lease(queue, limit - jobs.length, lease));
      }
      await this.#keepSchedules(scheduled);
    } catch (error) {
      this.#lostFetches.add(lease);
      throw error;
    }
    return jobs;
  }

  /** Stores the next runs of schedules whose run was leased, and now and then of all whose next run another program has removed. */
  async #keepSchedules(leased: readonly string[]): Promise<void> {
    const isLookDue = performance.now() >= this.#nextLookAtMs;
    const names = isLookDue ? this.#queues.map(jobName) : leased;
    if (names.length > 0) await this.#onScheduled(names);
    if (isLookDue) this.#nextLookAtMs = performance.now() + lookEveryMs;
  }

  async #lease(queue: string, limit: number, lease: string): Promise<Row[]> {
    try {
      return await runSql(this.#db, this.#statements.fetch, [queue, limit, lease]);
    } catch (error) {
      if ((error as { code?: unknown }).code !== uniqueViolationCode) throw error;
      return limit === 1 ? [] : this.#lease(queue, 1, lease);
    }
  }

  /** Finds the queues that have due jobs. Each look begins with another queue, so that a busy queue does not hold up the others. */
  async #dueQueues(): Promise<readonly string[]> {
    // If the only queue has just had jobs, skip the query: the fetch finds out.
    if (this.#queues.length === 1 && this.#hadJobs) return this.#queues;
    const told = this.#wait.toFetch(this.#hadJobs);
    this.#wasTold = told !== undefined;
    if (told !== undefined) return told;
    this.#queues.push(this.#queues.shift() as string);
    const rows = await runSql(this.#db, this.#statements.dueQueues(this.#queues.length), [this.#queues]);
    const waiting = rows.filter((row) => !row.is_due).map((row) => row.due_in_ms as number);
    this.#wait.looked(Math.min(...waiting));
    return rows.filter((row) => row.is_due).map(({ name }) => name as string);
  }

  async settle(job: PgBossLeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    const result = await this.#outcomes.record(job, outcome);
    if (outcome.type === "retried" || outcome.type === "snoozed")
      this.#signals.wakeIn(queueName(job.name), outcome.delayMs);
    if (outcome.type === "released") this.#signals.wakeIn(queueName(job.name), 0);
    return result;
  }

  /** Renews leases. It skips locked rows, so it cannot tell which leases are lost. */
  async renewLeases(jobs: readonly PgBossLeasedJob[]): Promise<void> {
    await runSql(this.#db, this.#statements.renewLeases, heldValues(jobs));
  }

  async cancelRequests(jobs: readonly PgBossLeasedJob[]): Promise<readonly string[]> {
    const rows = await runSql(this.#db, this.#statements.cancelRequests, heldValues(jobs));
    return rows.filter((row) => row.is_cancel_requested).map(({ id }) => id as string);
  }

  async saveProgress({ id, name, lease }: PgBossLeasedJob, progress: StoredJobProgress): Promise<void> {
    const values = [queueName(name), id, lease, JSON.stringify(progress)];
    await runSql(this.#db, this.#statements.saveProgress, values);
  }

  async close(): Promise<void> {
    await this.#wait.leave();
  }
}

/** Compares rows of the statement `fetch`. */
function byOrder(a: Row, b: Row): number {
  return b.priority - a.priority || a.created_at_s - b.created_at_s;
}

function heldValues(jobs: readonly PgBossLeasedJob[]): unknown[] {
  const queues = [...new Set(jobs.map(({ name }) => queueName(name)))];
  return [queues, jobs.map(({ id }) => id), jobs.map(({ lease }) => lease)];
}
