import {
  envelopeFrom,
  type FetchedJob,
  type JobSource,
  type Settled,
  type Settlement,
} from "@nidus/jobs-durable";
import { Batcher } from "./batcher.ts";
import type { StorageSettings } from "./dialect.ts";
import type { PgBossJob, PgBossLike } from "./pg-boss-like.ts";
import { jobName, queueName } from "./queue-name.ts";
import type { Statements } from "./statements.ts";
import type { Wakeup } from "./wakeup.ts";

/** A job that pg-boss has given out. */
export interface PgBossFetchedJob extends FetchedJob {
  /** Fences its settlement. */
  readonly retryCount: number;
}

interface SettlementRow {
  readonly queue: string;
  readonly id: string;
  readonly retry_count: number;
  readonly state: string;
  readonly delay_ms?: number;
  readonly is_unspent?: boolean;
  readonly output?: object;
  readonly deletion_seconds?: number;
}

/** Fetches from pg-boss by polling, and settles in batches. */
export class PgBossSource implements JobSource<PgBossFetchedJob> {
  readonly bringsNext = false;
  readonly #boss: PgBossLike;
  readonly #statements: Statements;
  readonly #settings: StorageSettings;
  readonly #wakeup: Wakeup;
  readonly #queues: string[];
  readonly #settlements: Batcher<SettlementRow, Settled<PgBossFetchedJob>>;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  constructor(
    boss: PgBossLike,
    statements: Statements,
    settings: StorageSettings,
    wakeup: Wakeup,
    jobNames: readonly string[],
  ) {
    this.#boss = boss;
    this.#statements = statements;
    this.#settings = settings;
    this.#wakeup = wakeup;
    this.#queues = jobNames.map(queueName);
    this.#settlements = new Batcher((rows) => this.#record(rows));
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly PgBossFetchedJob[]> {
    const { changes } = this.#wakeup;
    const jobs = await this.#fetchDue(limit);
    this.#isBusy = jobs.length > 0;
    if (jobs.length === 0) await this.#wakeup.wait(changes, signal);
    return jobs;
  }

  async #fetchDue(limit: number): Promise<PgBossFetchedJob[]> {
    const jobs: PgBossFetchedJob[] = [];
    for (const queue of await this.#dueQueues()) {
      if (jobs.length === limit) break;
      const fetched = await this.#boss.fetch(queue, {
        batchSize: limit - jobs.length,
        includeMetadata: true,
      });
      jobs.push(...(fetched as PgBossJob[]).map(fetchedFrom));
    }
    return jobs;
  }

  /** The queues in turn, so that none has to wait for the others to be empty. */
  async #dueQueues(): Promise<readonly string[]> {
    // A queue that had work a moment ago is asked at once: this saves a question a batch.
    if (this.#queues.length === 1 && this.#isBusy) return this.#queues;
    this.#queues.push(this.#queues.shift() as string);
    const { rows } = await this.#boss.getDb().executeSql(this.#statements.dueQueues, [this.#queues]);
    return rows.map(({ name }) => name as string);
  }

  async settle(job: PgBossFetchedJob, settlement: Settlement): Promise<Settled<PgBossFetchedJob>> {
    const settled = await this.#settlements.add({
      queue: queueName(job.name),
      id: job.id,
      retry_count: job.retryCount,
      ...columnsOf(settlement, this.#settings),
    });
    if (settlement.type === "retried") this.#wakeup.at(new Date(Date.now() + settlement.delayMs));
    if (settlement.type === "handed-back") this.#wakeup.now();
    return settled;
  }

  async #record(rows: readonly SettlementRow[]): Promise<readonly Settled<PgBossFetchedJob>[]> {
    const recorded = new Map<string, Settled<PgBossFetchedJob>>();
    for (const queue of new Set(rows.map((row) => row.queue))) {
      const batch = rows.filter((row) => row.queue === queue);
      const values = [queue, JSON.stringify(batch), batch.map(({ id }) => id)];
      const result = await this.#boss.getDb().executeSql(this.#statements.settle, values);
      for (const { id, is_cancelled_instead: isCancelled } of result.rows) {
        recorded.set(id, { isRecorded: true, isCancelled });
      }
    }
    return rows.map(({ id }) => recorded.get(id) ?? { isRecorded: false });
  }

  async keepAlive(jobs: readonly PgBossFetchedJob[]): Promise<readonly string[]> {
    const values = [[...new Set(jobs.map(({ name }) => queueName(name)))], jobs.map(({ id }) => id)];
    const now = performance.now();
    const isDue = now - this.#renewedAtMs >= (this.#settings.leaseSeconds * 1000) / 4;
    const { renewLeases, cancelRequests } = this.#statements;
    const { rows } = await this.#boss.getDb().executeSql(isDue ? renewLeases : cancelRequests, values);
    if (isDue) this.#renewedAtMs = now;
    return rows.filter((row) => row.is_cancel_requested).map(({ id }) => id as string);
  }

  async close(): Promise<void> {}
}

function columnsOf(
  settlement: Settlement,
  { retainDeadLettersSeconds }: StorageSettings,
): Omit<SettlementRow, "queue" | "id" | "retry_count"> {
  switch (settlement.type) {
    case "succeeded":
      return { state: "completed" };
    case "retried":
      return {
        state: "retry",
        delay_ms: settlement.delayMs,
        output: { message: settlement.error },
      };
    case "dead-lettered":
      return {
        state: "failed",
        output: { message: settlement.error },
        deletion_seconds: retainDeadLettersSeconds,
      };
    case "cancelled":
      return { state: "cancelled" };
    case "handed-back":
      return { state: "retry", is_unspent: true };
  }
}

function fetchedFrom(job: PgBossJob): PgBossFetchedJob {
  const { isCancelRequested } = (job.data ?? {}) as { isCancelRequested?: unknown };
  return {
    id: job.id,
    name: jobName(job.name),
    envelope: envelopeFrom(job.data),
    attempt: job.retryCount + 1,
    maxAttempts: job.retryLimit,
    enqueuedAt: job.createdOn,
    runAt: job.startAfter,
    isCancelRequested: isCancelRequested === true,
    followsStalled: false,
    retryCount: job.retryCount,
  };
}
