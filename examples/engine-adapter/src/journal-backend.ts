import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter, EngineCapabilities, JobCounts } from "@nidus/jobs-durable";
import {
  envelopeFrom,
  type JobBackend,
  type JobConsumer,
  type JobOutcome,
  type LeasedJob,
  type NewJob,
  noJobs,
  type SettleResult,
} from "@nidus/jobs-durable/backend";
import type { JobBacklog } from "@nidus/jobs-observe";
import type { Journal } from "./journal.ts";
import { hasEnded, type StoredJob } from "./stored-job.ts";

/** The time between two looks of a waiting worker. */
const pollMs = 20;
const fetchWaitMs = 1_000;

/** Stores jobs in a journal. The holder of a job is an object of this process, so its lease ends with the process and needs no clock. */
export class JournalBackend implements JobBackend {
  readonly name = "journal";
  readonly address: string;
  readonly leaseMs = 30_000;
  readonly capabilities: EngineCapabilities = {
    persistence: true,
    schedules: false,
    scheduleKeys: false,
    transactions: false,
    nullCharacters: true,
  };
  readonly #journal: Journal;
  readonly #giveBack: () => void;

  constructor(file: string, [journal, giveBack]: readonly [Journal, () => void]) {
    this.address = file;
    this.#journal = journal;
    this.#giveBack = giveBack;
  }

  queueOf(jobName: string): string {
    return jobName;
  }

  async insert(jobs: readonly NewJob[]): Promise<readonly boolean[]> {
    const now = Date.now();
    const added = new Map<string, StoredJob>();
    const isNew = jobs.map((job) => {
      if (this.#journal.get(job.id) !== undefined || added.has(job.id)) return false;
      added.set(job.id, storedFrom(job, now));
      return true;
    });
    this.#journal.add([...added.values()]);
    return isNew;
  }

  async consumer(jobNames: readonly string[]): Promise<JobConsumer<LeasedJob>> {
    const names = new Set(jobNames);
    return {
      fetch: async (limit, signal) => {
        const endMs = performance.now() + fetchWaitMs;
        while (!signal.aborted && performance.now() < endMs) {
          const due = this.#due(names).slice(0, limit);
          if (due.length > 0) return due.map((job) => this.#lease(job));
          await pause(pollMs);
        }
        return [];
      },
      settle: async (job, outcome) => this.#settle(job, outcome),
      // A lease ends with the process that holds it.
      renewLeases: async () => {},
      cancelRequests: async (jobs) =>
        jobs.filter(({ id }) => this.#journal.get(id)?.isCancelRequested).map(({ id }) => id),
      close: async () => {},
    };
  }

  /** Lists the jobs that are due, the longest due first. */
  #due(names: ReadonlySet<string>): StoredJob[] {
    const now = Date.now();
    return [...this.#journal.live()]
      .filter(({ state, runAtMs, name }) => state === "pending" && runAtMs <= now && names.has(name))
      .sort((a, b) => a.runAtMs - b.runAtMs);
  }

  #lease(job: StoredJob): LeasedJob {
    const leased = this.#journal.change(job, { state: "running", attempt: job.attempt + 1 });
    const { id, name, envelope, attempt, maxAttempts, isCancelRequested } = leased;
    const fetched: LeasedJob = {
      ...{ id, name, attempt, maxAttempts, isCancelRequested },
      followsStalled: this.#journal.stalled.delete(id),
      // A handler may change its payload, and there may be another attempt.
      envelope: structuredClone(envelope),
      enqueuedAt: new Date(leased.enqueuedAtMs),
      runAt: new Date(leased.runAtMs),
    };
    this.#journal.holders.set(id, fetched);
    return fetched;
  }

  #settle(job: LeasedJob, outcome: JobOutcome): SettleResult {
    const stored = this.#journal.get(job.id);
    if (stored === undefined || this.#journal.holders.get(job.id) !== job) return { isRecorded: false };
    this.#journal.change(stored, changesOf(stored, outcome));
    this.#journal.holders.delete(job.id);
    return { isRecorded: true };
  }

  async cancel(jobId: string): Promise<boolean> {
    const job = this.#journal.get(jobId);
    if (job === undefined || hasEnded(job)) return false;
    if (job.state === "running") this.#journal.change(job, { isCancelRequested: true });
    else this.#journal.change(job, { state: "cancelled", endedAtMs: Date.now() });
    return true;
  }

  async redrive(jobId: string): Promise<boolean> {
    const job = this.#journal.get(jobId);
    if (job?.state !== "deadLettered") return false;
    const runAtMs = Date.now();
    this.#journal.change(job, { state: "pending", attempt: 0, runAtMs, isCancelRequested: false });
    return true;
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    const now = Date.now();
    const counts = new Map<string, JobCounts>();
    for (const { name, state, runAtMs } of this.#journal.all()) {
      const before = counts.get(name) ?? noJobs;
      const kind = state !== "pending" ? state : runAtMs > now ? "scheduled" : "waiting";
      const oldestMs = Math.min(before.oldestWaitingAt?.getTime() ?? Infinity, runAtMs);
      const oldestWaitingAt = kind === "waiting" ? new Date(oldestMs) : before.oldestWaitingAt;
      counts.set(name, { ...before, [kind]: before[kind] + 1, oldestWaitingAt });
    }
    return counts;
  }

  async backlog(): Promise<readonly JobBacklog[]> {
    return [...(await this.counts())].map(([jobName, { waiting, oldestWaitingAt }]) => ({
      jobName,
      waiting,
      oldestWaitingAt,
    }));
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return [...this.#journal.all()]
      .filter(({ state }) => state === "deadLettered")
      .sort((a, b) => b.endedAtMs - a.endedAtMs)
      .slice(0, limit)
      .map(({ id, name, envelope, attempt, error, endedAtMs }) => ({
        ...{ id, error },
        jobName: name,
        payload: envelope.payload,
        attempts: attempt,
        failedAt: new Date(endedAtMs),
      }));
  }

  async close(): Promise<void> {
    this.#giveBack();
  }
}

function storedFrom({ id, name, envelope, maxAttempts, runAt }: NewJob, nowMs: number): StoredJob {
  return {
    ...{ id, name, maxAttempts },
    envelope: envelopeFrom(envelope),
    enqueuedAtMs: nowMs,
    runAtMs: runAt?.getTime() ?? nowMs,
    endedAtMs: 0,
    state: "pending",
    attempt: 0,
    isCancelRequested: false,
    error: "",
  };
}

function changesOf(job: StoredJob, outcome: JobOutcome): Partial<StoredJob> {
  switch (outcome.type) {
    case "retried":
      return { state: "pending", runAtMs: Date.now() + outcome.delayMs, error: outcome.error };
    case "released":
      return { state: "pending", attempt: job.attempt - 1 };
    case "dead-lettered":
      return { state: "deadLettered", endedAtMs: Date.now(), error: outcome.error };
    default:
      return { state: outcome.type, endedAtMs: Date.now() };
  }
}
