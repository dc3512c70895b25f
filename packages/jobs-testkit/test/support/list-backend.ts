import { setTimeout as pause } from "node:timers/promises";
import type {
  DeadLetter,
  EngineCapabilities,
  EnqueuedJob,
  JobCounts,
  StoredJob,
  StoredJobProgress,
} from "@nidus/jobs-durable";
import {
  type AwaitedJob,
  envelopeFrom,
  errorsAfter,
  type JobBackend,
  type JobConsumer,
  type JobEnd,
  type JobOutcome,
  type LeasedJob,
  type NameBacklog,
  type NewJob,
  type Retention,
  requireRetention,
  type SettleResult,
  type StoredJobsPage,
  type StoredJobsQuery,
  zeroCounts,
} from "@nidus/jobs-durable/backend";
import { actedOn, pageOf, storedJobFrom } from "./listed-job.ts";

/** A job as it is kept. */
export interface ListedJob
  extends Omit<LeasedJob, "attempt" | "runAt" | "isCancelRequested" | "followsStalled" | "previousCarrier"> {
  /** How many were stored before it: those of one moment run in this order. */
  readonly number: number;
  readonly priority: number;
  /** Undefined: it holds none, or no longer. */
  uniqueKey: string | undefined;
  /** Infinity: until its end. */
  readonly uniqueUntilMs: number;
  readonly retainMs: number | undefined;
  attempt: number;
  startedAt: Date | undefined;
  runAt: Date;
  state: "pending" | "running" | "succeeded" | "deadLettered" | "cancelled";
  /** Marks the delivery that holds the job: each delivery has a new one. */
  lease: symbol | undefined;
  leasedUntilMs: number;
  isCancelRequested: boolean;
  endedAtMs: number;
  error: string;
  errors: StoredJob["errors"];
  previousCarrier: Readonly<Record<string, string>> | undefined;
  resultText: string | undefined;
  progress: StoredJobProgress | undefined;
}

/** A delivery, fenced by its lease. */
export interface ListLeasedJob extends LeasedJob {
  readonly listed: ListedJob;
  readonly lease: symbol | undefined;
}

/** The jobs that all engines on one store share: by name, the oldest first. */
export type ListStore = Map<string, ListedJob[]>;

const pollMs = 10;
const fetchWaitMs = 500;

/** The simplest backend that has leases and a store that outlives its engine. Broken engines override what they do wrong. */
export class ListBackend implements JobBackend<ListLeasedJob> {
  readonly name: string = "list";
  readonly address: string = "this process";
  readonly capabilities: EngineCapabilities = {
    persistence: true,
    schedules: false,
    scheduleKeys: false,
    intervals: false,
    transactions: false,
    priorities: true,
    uniqueKeys: true,
    nullCharacters: false,
    listing: true,
    results: true,
    progress: true,
    snoozing: true,
  };
  readonly leaseMs: number;
  readonly store: ListStore;
  readonly retention: Retention;

  constructor(store: ListStore, leaseMs: number = 30_000, retention: Retention = requireRetention({})) {
    this.store = store;
    this.leaseMs = leaseMs;
    this.retention = retention;
  }

  queueOf(jobName: string): string {
    return `list-${jobName}`;
  }

  all(): ListedJob[] {
    return [...this.store.values()].flat();
  }

  find(jobId: string): ListedJob | undefined {
    return this.all().find(({ id }) => id === jobId);
  }

  /** Deletes jobs that have ended and are retained no longer. */
  forget(): void {
    for (const [name, listed] of this.store)
      this.store.set(
        name,
        listed.filter((job) => this.isRetained(job)),
      );
  }

  isRetained({ state, endedAtMs, retainMs }: ListedJob): boolean {
    if (state === "pending" || state === "running") return true;
    const { retainSucceededMs, retainDeadLettersMs } = this.retention;
    return (
      Date.now() <=
      endedAtMs + (state === "deadLettered" ? retainDeadLettersMs : (retainMs ?? retainSucceededMs))
    );
  }

  async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    this.forget();
    return jobs.map((job) => {
      const holder = job.uniqueKey === undefined ? undefined : this.holder(job.name, job.uniqueKey);
      return { id: holder?.id ?? job.id, isDuplicate: holder !== undefined || !this.add(job) };
    });
  }

  holder(jobName: string, uniqueKey: string): ListedJob | undefined {
    return this.store.get(jobName)?.find((job) => job.uniqueKey === uniqueKey && this.holds(job));
  }

  holds({ state, uniqueUntilMs }: ListedJob): boolean {
    if (state === "cancelled") return false;
    return uniqueUntilMs === Infinity ? isUnended(state) : Date.now() < uniqueUntilMs;
  }

  async holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return this.holder(jobName, uniqueKey)?.id;
  }

  add({ id, name, envelopeText, runAt, maxAttempts, ...options }: NewJob): boolean {
    const { priority, uniqueKey, uniqueForMs = Infinity, retainMs } = options;
    const listed = this.store.get(name) ?? [];
    this.store.set(name, listed);
    if (listed.some((each) => each.id === id)) return false;
    const enqueuedAt = new Date();
    listed.push({
      id,
      name,
      envelope: envelopeFrom(envelopeText),
      maxAttempts,
      ...{ priority, uniqueKey, uniqueUntilMs: Date.now() + uniqueForMs, retainMs },
      enqueuedAt,
      number: this.all().length,
      runAt: runAt ?? enqueuedAt,
      attempt: 0,
      startedAt: undefined,
      state: "pending",
      lease: undefined,
      leasedUntilMs: 0,
      isCancelRequested: false,
      endedAtMs: 0,
      error: "",
      errors: [],
      previousCarrier: undefined,
      resultText: undefined,
      progress: undefined,
    });
    return true;
  }

  async consumer(jobNames: readonly string[]): Promise<JobConsumer<ListLeasedJob>> {
    return {
      fetch: (limit, signal) => this.fetch(jobNames, limit, signal),
      settle: async (job, outcome) => this.settle(job, outcome),
      renewLeases: async (jobs) => this.renewLeases(jobs),
      cancelRequests: async (jobs) => this.cancelRequests(jobs),
      saveProgress: async (job, progress) => this.saveProgress(job, progress),
      close: async () => {},
    };
  }

  async fetch(jobNames: readonly string[], limit: number, signal: AbortSignal): Promise<ListLeasedJob[]> {
    for (let waitedMs = 0; waitedMs < fetchWaitMs && !signal.aborted; waitedMs += pollMs) {
      const taken = this.due(jobNames).slice(0, limit);
      if (taken.length > 0) return taken.map((job) => this.lease(job));
      await pause(pollMs);
    }
    return [];
  }

  /** Returns the jobs that could run now, the first to run first: pending jobs, and jobs whose lease has ended. */
  due(jobNames: readonly string[], atMs: number = Date.now()): ListedJob[] {
    return jobNames
      .flatMap((name) => this.store.get(name) ?? [])
      .filter(
        ({ state, runAt, leasedUntilMs }) =>
          (state === "pending" && runAt.getTime() <= atMs) || (state === "running" && leasedUntilMs < atMs),
      )
      .sort(
        (a, b) => this.rank(a) - this.rank(b) || a.runAt.getTime() - b.runAt.getTime() || a.number - b.number,
      );
  }

  rank({ priority }: ListedJob): number {
    return priority;
  }

  lease(listed: ListedJob): ListLeasedJob {
    const lease = Symbol("lease");
    const followsStalled = listed.state === "running";
    if (followsStalled) listed.previousCarrier = undefined;
    Object.assign(listed, { state: "running", lease, leasedUntilMs: Date.now() + this.leaseMs });
    listed.attempt++;
    listed.startedAt = new Date();
    return { ...listed, envelope: structuredClone(listed.envelope), followsStalled, listed, lease };
  }

  settle({ listed, lease }: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (listed.lease !== lease) return { isRecorded: false };
    listed.lease = undefined;
    if (outcome.progress !== undefined) listed.progress = outcome.progress;
    listed.errors = errorsAfter(listed.errors, listed, outcome) ?? listed.errors;
    if (outcome.type === "retried" || outcome.type === "snoozed" || outcome.type === "released") {
      if (outcome.type !== "released") {
        listed.runAt = new Date(Date.now() + outcome.delayMs);
        listed.previousCarrier = outcome.carrier;
      }
      if (outcome.type !== "retried") listed.attempt--;
      listed.state = "pending";
      if (listed.attempt === 0) listed.startedAt = undefined;
    } else {
      listed.state = outcome.type === "dead-lettered" ? "deadLettered" : outcome.type;
      listed.endedAtMs = Date.now();
      if (outcome.type === "dead-lettered") listed.error = outcome.error;
      else if (listed.retainMs === 0) this.remove(listed);
      if (outcome.type === "succeeded") listed.resultText = outcome.resultText;
    }
    return { isRecorded: true };
  }

  remove(listed: ListedJob): void {
    this.store.set(
      listed.name,
      (this.store.get(listed.name) ?? []).filter((each) => each !== listed),
    );
  }

  saveProgress({ listed, lease }: ListLeasedJob, progress: StoredJobProgress): void {
    if (listed.lease === lease) listed.progress = progress;
  }

  renewLeases(jobs: readonly ListLeasedJob[]): void {
    for (const { listed, lease } of jobs) {
      if (listed.lease === lease) listed.leasedUntilMs = Date.now() + this.leaseMs;
    }
  }

  cancelRequests(jobs: readonly ListLeasedJob[]): string[] {
    return jobs.filter(({ listed }) => listed.isCancelRequested).map(({ id }) => id);
  }

  async cancel(jobId: string): Promise<boolean> {
    const job = this.find(jobId);
    if (job?.state === "running") job.isCancelRequested = true;
    else if (job?.state === "pending") Object.assign(job, { state: "cancelled", endedAtMs: Date.now() });
    else return false;
    return true;
  }

  async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    return actedOn(jobIds, async (id) => {
      const job = this.find(id);
      return job?.name === jobName && !job.isCancelRequested && (await this.cancel(id));
    });
  }

  async redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    return actedOn(jobIds, async (id) => this.find(id)?.name === jobName && (await this.redrive(id)));
  }

  async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    const job = this.find(jobId);
    if (job?.state !== "pending") return false;
    job.runAt = runAt;
    return true;
  }

  async redrive(jobId: string): Promise<boolean> {
    const job = this.find(jobId);
    if (job?.state !== "deadLettered") return false;
    const forgotten = {
      startedAt: undefined,
      uniqueKey: undefined,
      previousCarrier: undefined,
      progress: undefined,
    };
    Object.assign(job, { state: "pending", attempt: 0, runAt: new Date(), ...forgotten });
    return true;
  }

  async job(
    jobId: string,
    { withPayload }: { readonly withPayload: boolean },
  ): Promise<StoredJob | undefined> {
    const job = this.find(jobId);
    return job && storedJobFrom(job, withPayload);
  }

  async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return pageOf(this.all(), query);
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    this.forget();
    return new Map([...this.store].map(([name, jobs]) => [name, this.countsOf(jobs)]));
  }

  countsOf(jobs: readonly ListedJob[]): JobCounts {
    const now = Date.now();
    const waiting = jobs.filter(({ state, runAt }) => state === "pending" && runAt.getTime() <= now);
    const pending = jobs.filter(({ state }) => state === "pending").length;
    const count = (state: ListedJob["state"]): number => jobs.filter((job) => job.state === state).length;
    const oldestMs = Math.min(...waiting.map(({ runAt }) => runAt.getTime()));
    return {
      ...zeroCounts,
      scheduled: pending - waiting.length,
      waiting: waiting.length,
      running: count("running"),
      succeeded: count("succeeded"),
      deadLettered: count("deadLettered"),
      cancelled: count("cancelled"),
      oldestWaitingAt: waiting.length === 0 ? undefined : new Date(oldestMs),
    };
  }

  async backlog(): Promise<readonly NameBacklog[]> {
    const counts = await this.counts();
    return [...counts].map(([jobName, { waiting, oldestWaitingAt, deadLettered }]) => {
      const letters = this.all().filter(({ name, state }) => name === jobName && state === "deadLettered");
      const oldestMs = Math.min(...letters.map(({ endedAtMs }) => endedAtMs));
      return {
        ...{ jobName, waiting, oldestWaitingAt, deadLettered },
        oldestDeadLetterAt: deadLettered === 0 ? undefined : new Date(oldestMs),
      };
    });
  }

  async ping(): Promise<void> {}

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    this.forget();
    return this.all()
      .filter(({ state }) => state === "deadLettered")
      .sort((a, b) => b.endedAtMs - a.endedAtMs)
      .slice(0, limit)
      .map(({ id, name, envelope, attempt, error, endedAtMs }) => ({
        id,
        jobName: name,
        payload: envelope.payload,
        attempts: attempt,
        error,
        failedAt: new Date(endedAtMs),
      }));
  }

  async ends(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    return jobs.map(({ id }) => this.endOf(this.find(id)));
  }

  endOf(job: ListedJob | undefined): JobEnd {
    if (job === undefined) return { state: "unknown" };
    const { name, state, resultText, error } = job;
    if (state === "succeeded") return { state, resultText };
    if (state === "deadLettered") return { state: "dead-lettered", error };
    return state === "cancelled" ? { state } : { state: "pending", jobName: name };
  }

  async close(): Promise<void> {}
}

function isUnended(state: ListedJob["state"]): boolean {
  return state === "pending" || state === "running";
}
