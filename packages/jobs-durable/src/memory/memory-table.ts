import { errorsAfter } from "../backend/attempt-errors.ts";
import type { DeadLetter } from "../backend/dead-letter.ts";
import { envelopeFrom } from "../backend/envelope.ts";
import type { NewJob } from "../backend/job-backend.ts";
import { type JobCounts, zeroCounts } from "../backend/job-counts.ts";
import type { JobOutcome } from "../backend/job-outcome.ts";
import type { StoredJobsPage, StoredJobsQuery } from "../backend/stored-jobs-query.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import { counted } from "./counted.ts";
import { pageOf } from "./listing.ts";
import type { MemoryJob } from "./memory-job.ts";
import { PendingJobs } from "./pending-jobs.ts";
import { UniqueKeys } from "./unique-keys.ts";

/** How often what has ended is looked through for what is retained no longer. */
const sweepMs = 1_000;

/** Jobs by id, those that are to run, and the unique keys that jobs hold. */
export class MemoryTable {
  readonly #jobs = new Map<string, MemoryJob>();
  readonly #pending = new PendingJobs();
  readonly #uniqueKeys = new UniqueKeys();
  readonly #retainMs: { readonly [state in MemoryJob["state"]]?: number };
  #sweptAtMs = 0;
  #lastOrder = 0;

  constructor(retainSucceededMs: number, retainDeadLettersMs: number) {
    this.#retainMs = {
      succeeded: retainSucceededMs,
      cancelled: retainSucceededMs,
      "dead-lettered": retainDeadLettersMs,
    };
  }

  /** Stores a job, unless its id is taken or another job holds its unique key. */
  add(added: NewJob): EnqueuedJob {
    this.#sweep();
    const { id, name, runAt, uniqueKey, uniqueForMs } = added;
    const taken = uniqueKey === undefined ? this.#jobs.get(id) : this.#holderOf(name, uniqueKey);
    if (taken !== undefined) return { id: taken.id, isDuplicate: true };
    const enqueuedAtMs = Date.now();
    const job: MemoryJob = {
      number: ++this.#lastOrder,
      id,
      name,
      envelopeText: added.envelopeText,
      maxAttempts: added.maxAttempts,
      priority: added.priority,
      uniqueKey,
      uniqueUntilMs: uniqueForMs === undefined ? Number.POSITIVE_INFINITY : enqueuedAtMs + uniqueForMs,
      retainMs: added.retainMs,
      enqueuedAtMs,
      runAtMs: runAt?.getTime() ?? enqueuedAtMs,
      order: 0,
      attempt: 0,
      startedAtMs: undefined,
      lease: 0,
      state: "pending",
      isCancelRequested: false,
      endedAtMs: 0,
      endOrder: 0,
      error: "",
      progress: undefined,
      errors: [],
      previousCarrier: undefined,
      resultText: undefined,
    };
    this.#jobs.set(id, job);
    this.#uniqueKeys.hold(job);
    this.#queue(job);
    return { id, isDuplicate: false };
  }

  #holderOf(name: string, uniqueKey: string): MemoryJob | undefined {
    return this.#uniqueKeys.holderOf(name, uniqueKey, Date.now());
  }

  /** Returns the id of the job that holds a unique key. */
  holderOf(name: string, uniqueKey: string): string | undefined {
    this.#sweep();
    return this.#holderOf(name, uniqueKey)?.id;
  }

  /** Puts a job among those of its name. */
  #queue(job: MemoryJob): void {
    job.order = ++this.#lastOrder;
    this.#pending.add(job);
  }

  /** Up to `limit` jobs that are due, as running: names take turns, and of each name the first to run comes first. */
  take(names: ReadonlySet<string>, limit: number): MemoryJob[] {
    const taken = this.#pending.take(names, limit);
    for (const job of taken) {
      job.state = "running";
      job.attempt++;
      job.startedAtMs = Date.now();
      job.lease++;
    }
    return taken;
  }

  /** Resolves when there may be something to take, or when the signal is aborted. */
  changed(names: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    return this.#pending.changed(names, signal);
  }

  /** Returns whether the outcome was recorded: false if the job runs no more. */
  settle(job: MemoryJob, outcome: JobOutcome): boolean {
    if (job.state !== "running") return false;
    if (outcome.progress !== undefined) job.progress = outcome.progress;
    job.errors = errorsAfter(job.errors, job, outcome) ?? job.errors;
    if (outcome.type === "retried" || outcome.type === "snoozed" || outcome.type === "released") {
      if (outcome.type !== "released") {
        job.runAtMs = Date.now() + outcome.delayMs;
        job.previousCarrier = outcome.carrier;
        job.order = ++this.#lastOrder;
      }
      if (outcome.type !== "retried") job.attempt--;
      job.state = "pending";
      this.#pending.add(job);
      return true;
    }
    if (outcome.type === "dead-lettered") job.error = outcome.error;
    if (outcome.type === "succeeded") job.resultText = outcome.resultText;
    this.#end(job, outcome.type);
    return true;
  }

  #end(job: MemoryJob, state: "succeeded" | "dead-lettered" | "cancelled"): void {
    job.state = state;
    job.endedAtMs = Date.now();
    job.endOrder = ++this.#lastOrder;
    // A cancelled job frees a key that it would hold for a time, too.
    if (state === "cancelled" || job.uniqueUntilMs === Number.POSITIVE_INFINITY) this.#uniqueKeys.free(job);
    if (job.retainMs === 0 && state !== "dead-lettered") this.#forget(job);
    this.#sweep();
  }

  cancel(id: string): boolean {
    const job = this.#jobs.get(id);
    if (job?.state === "running") job.isCancelRequested = true;
    else if (job?.state === "pending") this.#end(job, "cancelled");
    else return false;
    return true;
  }

  /** Moves the start of a job that is pending. Its heap drops the job as it was. */
  reschedule(id: string, runAtMs: number): boolean {
    const before = this.#jobs.get(id);
    if (before?.state !== "pending") return false;
    const job = { ...before, runAtMs };
    before.state = "cancelled";
    this.#jobs.set(id, job);
    this.#uniqueKeys.passOn(before, job);
    this.#queue(job);
    return true;
  }

  /** Whether a job waits, and has not started. */
  isPending(id: string): boolean {
    const { state, lease } = this.#jobs.get(id) ?? {};
    return state === "pending" && lease === 0;
  }

  /** Removes a job that waits, and has not started. */
  removePending(id: string): void {
    if (!this.isPending(id)) return;
    // Its heap drops cancelled jobs.
    (this.#jobs.get(id) as MemoryJob).state = "cancelled";
    this.#jobs.delete(id);
  }

  redrive(id: string): boolean {
    const job = this.#jobs.get(id);
    if (job?.state !== "dead-lettered") return false;
    job.state = "pending";
    job.attempt = 0;
    job.progress = undefined;
    job.previousCarrier = undefined;
    job.isCancelRequested = false;
    job.runAtMs = Date.now();
    this.#queue(job);
    return true;
  }

  find(id: string): MemoryJob | undefined {
    this.#sweep();
    return this.#jobs.get(id);
  }

  page(query: StoredJobsQuery): StoredJobsPage {
    this.#sweep();
    return pageOf(this.#jobs.values(), query);
  }

  deadLetters(limit: number): DeadLetter[] {
    this.#sweep();
    return [...this.#jobs.values()]
      .filter(({ state }) => state === "dead-lettered")
      .sort((a, b) => b.endedAtMs - a.endedAtMs || b.endOrder - a.endOrder)
      .slice(0, limit)
      .map(({ id, name, envelopeText, attempt, error, endedAtMs }) => ({
        id,
        jobName: name,
        payload: envelopeFrom(envelopeText).payload,
        attempts: attempt,
        error,
        failedAt: new Date(endedAtMs),
      }));
  }

  /** When the oldest dead letter of each name failed for the last time. */
  oldestDeadLetters(): Map<string, Date> {
    const oldest = new Map<string, Date>();
    for (const { state, name, endedAtMs } of this.#jobs.values()) {
      const beforeMs = oldest.get(name)?.getTime() ?? Infinity;
      if (state === "dead-lettered" && endedAtMs < beforeMs) oldest.set(name, new Date(endedAtMs));
    }
    return oldest;
  }

  counts(): Map<string, JobCounts> {
    this.#sweep();
    const now = Date.now();
    const counts = new Map<string, JobCounts>();
    for (const job of this.#jobs.values()) {
      const before = counts.get(job.name) ?? zeroCounts;
      counts.set(job.name, { ...before, ...counted(job, before, now) });
    }
    return counts;
  }

  #forget(job: MemoryJob): void {
    this.#jobs.delete(job.id);
    this.#uniqueKeys.free(job);
  }

  /** Forgets what has ended and is retained no longer. */
  #sweep(): void {
    const now = Date.now();
    // The clock may have been set back.
    if (Math.abs(now - this.#sweptAtMs) < sweepMs) return;
    this.#sweptAtMs = now;
    for (const job of this.#jobs.values()) {
      const own = job.state === "dead-lettered" ? undefined : job.retainMs;
      const engines = this.#retainMs[job.state];
      if (engines !== undefined && now - job.endedAtMs > (own ?? engines)) this.#forget(job);
    }
  }
}
