import { requireKnownKeys, requireSignal } from "@nidus/jobs-core/adapter";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { LeasedJob } from "../backend/job-backend.ts";
import type { JobEnd } from "../backend/job-end.ts";
import type { JobOutcome } from "../backend/job-outcome.ts";
import { NoResultError, UnsupportedError } from "../errors/errors.ts";
import { requireTimerMs } from "../job/timer.ts";
import { AwaitedResult, isOver } from "./awaited-result.ts";
import { EndWatchers, type JobResultsSetUp } from "./end-watchers.ts";
import type { ResultOptions } from "./job-engine.ts";
import { isJobId } from "./validation.ts";

/** How often the store is asked while callers wait. */
const askEveryMs = 1_000;

/** How many jobs the store is asked for at once. */
const maxJobs = 500;

/**
 * Waits for the ends of jobs. Workers of this process tell of the ends that they record. For all others, it asks the store: once when a
 * wait begins, each time that the store tells of an end, and once a second for all jobs together.
 */
export class JobResults<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #setUp: JobResultsSetUp<Job, Options>;
  readonly #awaited = new Map<string, AwaitedResult>();
  readonly #watchers: EndWatchers<Job, Options>;
  readonly #toAsk = new Set<string>();
  #isAsking = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(setUp: JobResultsSetUp<Job, Options>) {
    this.#setUp = setUp;
    this.#watchers = new EndWatchers(setUp, (jobIds) => this.#ask(jobIds));
  }

  async result(jobId: string, options: ResultOptions = {}): Promise<unknown> {
    requireKnownKeys("the options of `result`", options, ["timeoutMs", "signal"]);
    const { timeoutMs = 30_000 } = options;
    requireTimerMs("`timeoutMs`", timeoutMs);
    const signal = requireSignal(options.signal);
    const isId = isJobId(jobId);
    const { backend, store } = this.#setUp;
    if (!backend.capabilities.results) throw new UnsupportedError(`${backend.name} stores no results`);
    if (this.#isClosed || store.isClosed) throw store.closedError();
    if (!isId) throw new NoResultError(jobId, "unknown");
    signal.throwIfAborted();
    const end = this.#awaitedOf(jobId).wait(timeoutMs, signal);
    this.#ask([jobId]);
    this.#timer ??= this.#setUp.bookkeeping.begin("results", () =>
      setInterval(() => this.#tick(), askEveryMs).unref(),
    );
    return end;
  }

  #awaitedOf(jobId: string): AwaitedResult {
    const known = this.#awaited.get(jobId);
    if (known !== undefined) return known;
    const awaited = new AwaitedResult(jobId, () => {
      if (this.#awaited.get(jobId) === awaited) this.#awaited.delete(jobId);
    });
    this.#awaited.set(jobId, awaited);
    return awaited;
  }

  /** A worker of this process has recorded an outcome. */
  recorded(jobId: string, outcome: JobOutcome): void {
    const awaited = this.#awaited.get(jobId);
    if (awaited === undefined) return;
    if (outcome.type === "succeeded") awaited.end({ state: "succeeded", resultText: outcome.resultText });
    else if (outcome.type === "dead-lettered") awaited.end({ state: "dead-lettered", error: outcome.error });
    else if (outcome.type === "cancelled") awaited.end({ state: "cancelled" });
  }

  /** A caller has changed a job: asks the store for it, if anyone waits. */
  changed(jobId: string): void {
    if (this.#awaited.has(jobId)) this.#ask([jobId]);
  }

  #tick(): void {
    const names = new Set([...this.#awaited.values()].map(({ jobName }) => jobName));
    const isIdle = this.#watchers.closeUnused(names);
    if (this.#awaited.size > 0) this.#ask(this.#awaited.keys());
    else if (isIdle) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #ask(jobIds: Iterable<string>): void {
    for (const id of jobIds) if (this.#awaited.has(id)) this.#toAsk.add(id);
    if (!this.#isAsking && this.#toAsk.size > 0) this.#askAll();
  }

  /** Asks until there is nothing more to ask. Never rejects. */
  async #askAll(): Promise<void> {
    this.#isAsking = true;
    // All waits that begin now go together.
    await Promise.resolve();
    while (this.#toAsk.size > 0 && !this.#isClosed) {
      const jobs = [...this.#toAsk].flatMap((id) => this.#awaited.get(id) ?? []).slice(0, maxJobs);
      if (jobs.length === 0) this.#toAsk.clear();
      else await this.#askFor(jobs);
    }
    this.#isAsking = false;
  }

  async #askFor(jobs: readonly AwaitedResult[]): Promise<void> {
    const { store, bookkeeping, onError } = this.#setUp;
    for (const { id } of jobs) this.#toAsk.delete(id);
    try {
      const ends = await bookkeeping.run("results", () => store.ends(jobs));
      for (const [index, job] of jobs.entries()) this.#tell(job, ends[index] as JobEnd);
    } catch (error) {
      // A wait that has begun goes on: the next question may be answered.
      const isTold = jobs.filter(({ jobName }) => jobName === undefined);
      for (const job of isTold) job.fail(error);
      if (isTold.length < jobs.length) onError(error);
    }
  }

  #tell(job: AwaitedResult, end: JobEnd): void {
    if (isOver(end)) job.end(end);
    else if (this.#awaited.get(job.id) === job) {
      job.jobName = end.jobName;
      this.#watchers.open(end.jobName, () => this.#idsOf(end.jobName));
    }
  }

  #idsOf(name: string): readonly string[] {
    return [...this.#awaited.values()].filter(({ jobName }) => jobName === name).map(({ id }) => id);
  }

  /** Rejects all waits. Called when the workers have stopped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const awaited of [...this.#awaited.values()]) awaited.fail(this.#setUp.store.closedError());
    await this.#watchers.close();
  }
}
