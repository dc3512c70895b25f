import type { DeadLetter } from "../backend/dead-letter.ts";
import { envelopeFrom } from "../backend/envelope.ts";
import type { JobOutcome, NewJob } from "../backend/job-backend.ts";
import type { JobCounts } from "../backend/job-counts.ts";
import { zeroCounts } from "../backend/job-counts.ts";
import { isBefore, JobHeap } from "./job-heap.ts";
import type { MemoryJob } from "./memory-job.ts";

/** How often what has ended is looked through for what is retained no longer. */
const sweepMs = 1_000;

/** The longest wait between two looks at the clock. */
const maxWaitMs = 5_000;

/** Jobs by id, and those that are to run by name, the first to run first. */
export class MemoryTable {
  readonly #jobs = new Map<string, MemoryJob>();
  /** Pending jobs, by name. A cancelled job stays in its heap until its turn. */
  readonly #pending = new Map<string, JobHeap>();
  readonly #retainMs: { readonly [state in MemoryJob["state"]]?: number };
  readonly #waiting = new Set<() => void>();
  #sweptAtMs = 0;
  #lastOrder = 0;

  constructor(retainSucceededMs: number, retainDeadLettersMs: number) {
    this.#retainMs = {
      succeeded: retainSucceededMs,
      cancelled: retainSucceededMs,
      "dead-lettered": retainDeadLettersMs,
    };
  }

  /** Returns whether the job was stored: false if its id is taken. */
  add({ id, name, envelopeText, runAt, maxAttempts }: NewJob): boolean {
    this.#sweep();
    if (this.#jobs.has(id)) return false;
    const enqueuedAt = new Date(Date.now());
    const job: MemoryJob = {
      id,
      name,
      envelopeText,
      maxAttempts,
      enqueuedAt,
      runAtMs: runAt?.getTime() ?? enqueuedAt.getTime(),
      order: 0,
      attempt: 0,
      startedAtMs: undefined,
      lease: 0,
      state: "pending",
      isCancelRequested: false,
      endedAtMs: 0,
      endOrder: 0,
      error: "",
      previousCarrier: undefined,
      resultText: undefined,
    };
    this.#jobs.set(id, job);
    this.#queue(job);
    return true;
  }

  /** Puts a job among those of its name. */
  #queue(job: MemoryJob): void {
    job.order = ++this.#lastOrder;
    let queue = this.#pending.get(job.name);
    if (queue === undefined) {
      queue = new JobHeap();
      this.#pending.set(job.name, queue);
    }
    queue.push(job);
    for (const wake of this.#waiting) wake();
  }

  /** Up to `limit` jobs that are due, the oldest first, as running. */
  take(names: ReadonlySet<string>, limit: number): MemoryJob[] {
    const now = Date.now();
    const taken: MemoryJob[] = [];
    while (taken.length < limit) {
      const queue = this.#earliest(names);
      if (queue === undefined || (queue.first as MemoryJob).runAtMs > now) break;
      const job = queue.shift() as MemoryJob;
      job.state = "running";
      job.attempt++;
      job.startedAtMs = now;
      job.lease++;
      taken.push(job);
    }
    return taken;
  }

  /** The queue whose first job comes before those of the others, in time and then in order of arrival. */
  #earliest(names: ReadonlySet<string>): JobHeap | undefined {
    let earliest: JobHeap | undefined;
    for (const name of names) {
      const queue = this.#pending.get(name);
      while (queue?.first?.state === "cancelled") queue.shift();
      if (queue?.first === undefined) continue;
      if (earliest?.first === undefined || isBefore(queue.first, earliest.first)) earliest = queue;
    }
    return earliest;
  }

  /** Resolves when there may be something to take, or when the signal is aborted. */
  async changed(names: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const nextMs = this.#earliest(names)?.first?.runAtMs ?? Infinity;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(maxWaitMs, Math.max(0, nextMs - Date.now())));
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** Returns whether the outcome was recorded: false if the job runs no more. */
  settle(job: MemoryJob, outcome: JobOutcome): boolean {
    if (job.state !== "running") return false;
    if (outcome.type === "retried" || outcome.type === "snoozed" || outcome.type === "released") {
      if (outcome.type !== "released") {
        job.runAtMs = Date.now() + outcome.delayMs;
        job.previousCarrier = outcome.carrier;
      }
      if (outcome.type !== "retried") job.attempt--;
      job.state = "pending";
      this.#queue(job);
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
    this.#sweep();
  }

  cancel(id: string): boolean {
    const job = this.#jobs.get(id);
    if (job?.state === "running") {
      job.isCancelRequested = true;
      return true;
    }
    if (job?.state !== "pending") return false;
    this.#end(job, "cancelled");
    return true;
  }

  redrive(id: string): boolean {
    const job = this.#jobs.get(id);
    if (job?.state !== "dead-lettered") return false;
    job.state = "pending";
    job.attempt = 0;
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

  /** Forgets what has ended and is retained no longer. */
  #sweep(): void {
    const now = Date.now();
    if (now - this.#sweptAtMs < sweepMs) return;
    this.#sweptAtMs = now;
    for (const [id, { state, endedAtMs }] of this.#jobs) {
      const retainMs = this.#retainMs[state];
      if (retainMs !== undefined && now - endedAtMs > retainMs) this.#jobs.delete(id);
    }
  }
}

function counted({ state, runAtMs }: MemoryJob, before: JobCounts, now: number): Partial<JobCounts> {
  if (state === "running") return { running: before.running + 1 };
  if (state === "succeeded") return { succeeded: before.succeeded + 1 };
  if (state === "dead-lettered") return { deadLettered: before.deadLettered + 1 };
  if (state === "cancelled") return { cancelled: before.cancelled + 1 };
  if (runAtMs > now) return { scheduled: before.scheduled + 1 };
  const oldestMs = Math.min(runAtMs, before.oldestWaitingAt?.getTime() ?? Infinity);
  return { waiting: before.waiting + 1, oldestWaitingAt: new Date(oldestMs) };
}
