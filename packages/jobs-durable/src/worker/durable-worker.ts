import { setTimeout as pause } from "node:timers/promises";
import { refusal } from "@nidus/jobs-core";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { FetchedJob, JobBackend, JobSource, Settled } from "../backend/job-backend.ts";
import { backoffMs } from "../backoff.ts";
import { withDeadline } from "../deadline.ts";
import type { AnyDurableJob } from "../engine.ts";
import { cancelled, Delivery, type Ending, handedBack } from "./delivery.ts";
import type { JobWorker, StopOptions, WorkerReport } from "./job-worker.ts";
import { LeaseRenewal } from "./lease-renewal.ts";
import { UnseenControllers } from "./unseen-controllers.ts";

/** What a worker needs of its engine. */
export interface WorkerSetUp<Job extends FetchedJob> {
  readonly backend: JobBackend<Job>;
  readonly source: JobSource<Job>;
  readonly jobs: ReadonlyMap<string, AnyDurableJob>;
  readonly concurrency: number;
  readonly runner: ObservedJobRunner;
  /** Deliveries in this process by job id, of all workers of the engine. */
  readonly inFlight: Map<string, Delivery<Job>>;
  readonly onError: (error: unknown) => void;
  /** Called once, when the worker has stopped. */
  readonly onStopped: () => void;
}

/** How long a server that is away is left alone before the next try: longer from time to time. */
const outage = { baseMs: 250, maxMs: 5_000 };

/** The longest that free slots wait for others: short beside what a handler takes that is worth storing. */
const maxGatherMs = 10;

/** Waiting for a server on the way out. */
const handBackMs = 5_000;

/** Successful runs that came too late to be recorded and are kept in mind, for all workers of an engine. */
const maxUnrecorded = 1_000;

/** A loop that keeps its slots filled, and a timer that keeps leases alive. */
export class DurableWorker<Job extends FetchedJob> implements JobWorker {
  readonly #setUp: WorkerSetUp<Job>;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Delivery<Job>>();
  readonly #counts = {
    started: 0,
    succeeded: 0,
    retried: 0,
    deadLettered: 0,
    cancelled: 0,
    interrupted: 0,
    abandoned: 0,
  };
  readonly #controllers = new UnseenControllers();
  readonly #leases: LeaseRenewal<Job>;
  readonly #fetching: Promise<void>;
  #freeSlots: number;
  #roomMade: () => void = () => {};
  #isOver = false;
  #stopped: Promise<WorkerReport> | undefined;

  constructor(setUp: WorkerSetUp<Job>) {
    this.#setUp = setUp;
    this.#freeSlots = setUp.concurrency;
    const { source, backend, onError } = setUp;
    this.#leases = new LeaseRenewal(source, backend.leaseMs, this.#running, onError);
    this.#fetching = this.#fill();
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Asks a running job to end. Returns whether it runs here. */
  cancel(jobId: string): boolean {
    const here = [...this.#running].filter(({ job }) => job.id === jobId);
    for (const delivery of here) delivery.cancel();
    return here.length > 0;
  }

  async #fill(): Promise<void> {
    const { source, onError } = this.#setUp;
    let failures = 0;
    let fetchMs = 0;
    while (!this.#isStopping) {
      if (!this.#hasRoom) {
        await this.#nextRoom();
        continue;
      }
      await this.#moreRoom(fetchMs);
      try {
        const startMs = performance.now();
        const jobs = await source.fetch(this.#freeSlots, this.#stopping.signal);
        // Without any, it has waited for them.
        fetchMs = jobs.length > 0 ? performance.now() - startMs : 0;
        for (const job of jobs) this.#occupySlot(job);
        failures = 0;
      } catch (error) {
        if (this.#isStopping) return;
        onError(error);
        await this.#pause(backoffMs(outage, ++failures));
      }
    }
  }

  #nextRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#roomMade = resolve;
    });
  }

  /**
   * While most slots are taken, a fetch may wait as long as the last one took: handlers that end at different moments would
   * otherwise have a fetch each, and the fetches one slot each.
   */
  async #moreRoom(fetchMs: number): Promise<void> {
    // Timers tell no less than a millisecond apart.
    let isOver = fetchMs < 1;
    const over =
      isOver ||
      pause(Math.min(fetchMs, maxGatherMs)).then(() => {
        isOver = true;
      });
    while (!isOver && !this.#isStopping && this.#freeSlots < this.#setUp.concurrency / 2) {
      await Promise.race([this.#nextRoom(), over]);
    }
  }

  /** One round of handlers may run while the one before is recorded: an engine that is slow, or away, gets no more to record. */
  get #hasRoom(): boolean {
    const settling = this.#running.size - (this.#setUp.concurrency - this.#freeSlots);
    return this.#freeSlots > 0 && settling <= this.#setUp.concurrency;
  }

  async #occupySlot(first: Job): Promise<void> {
    this.#freeSlots--;
    let isFree = !this.#setUp.source.bringsNext;
    try {
      let job: Job | undefined = first;
      while (job !== undefined) job = await this.#deliver(job);
    } catch (error) {
      // The source gave out what is no job, and the slot is still taken.
      this.#setUp.onError(error);
      isFree = false;
    }
    if (!isFree) this.#freeSlots++;
    this.#roomMade();
  }

  /** One delivery from its arrival until the engine has recorded its end. Resolves to a further job for the same slot. */
  async #deliver(job: Job): Promise<Job | undefined> {
    const { backend, jobs, source, inFlight } = this.#setUp;
    const delivery = new Delivery(job, backend.name, backend.queueOf(job.name), this.#controllers);
    const known = inFlight.get(job.id);
    // An id comes round again with its idempotency key, once the job before is no longer retained.
    const earlier = known?.job.enqueuedAt.getTime() === job.enqueuedAt.getTime() ? known : undefined;
    inFlight.set(job.id, delivery);
    this.#running.add(delivery);
    try {
      const definition = jobs.get(job.name);
      delivery.end(
        this.#endingWithoutRun(delivery, definition) ??
          (await (earlier?.isStillDue ? this.#adopt(earlier) : this.#run(delivery, definition))),
      );
      if (!source.bringsNext) {
        this.#freeSlots++;
        this.#roomMade();
      }
      return delivery.isAbandoned ? undefined : await this.#settle(delivery);
    } finally {
      this.#running.delete(delivery);
      if (inFlight.get(job.id) === delivery && !delivery.isUnrecorded) inFlight.delete(job.id);
    }
  }

  #endingWithoutRun(delivery: Delivery<Job>, definition: AnyDurableJob | undefined): Ending | undefined {
    if (this.#isStopping) return handedBack;
    if (definition !== undefined) return delivery.endingWithoutRun();
    this.#setUp.onError(new Error(`a job named "${delivery.job.name}" came, which was not asked for`));
    return handedBack;
  }

  /** Its lease ran out while the server was away. It runs here, or has run, and its ending is that of the second delivery too. */
  #adopt(earlier: Delivery<Job>): Promise<Ending> {
    earlier.isAbandoned = true;
    return earlier.ended();
  }

  async #run(delivery: Delivery<Job>, definition: AnyDurableJob | undefined): Promise<Ending> {
    this.#counts.started++;
    const ending = await delivery.run(definition as AnyDurableJob, this.#setUp.runner);
    if (ending === handedBack && !delivery.isAbandoned) this.#counts.interrupted++;
    return ending;
  }

  /** Repeats itself for as long as the server is away: the job has run, and must not run again for want of a record. */
  async #settle(delivery: Delivery<Job>): Promise<Job | undefined> {
    const { source, onError } = this.#setUp;
    for (let failures = 1; ; failures++) {
      // A failure is not to be tried again, nor kept, where somebody elsewhere has cancelled the job since the last look.
      if (delivery.hasFailed) await this.#leases.renew();
      if (delivery.isAbandoned || this.#isOver) return undefined;
      const ending = delivery.ending as Ending;
      try {
        const wantsNext = source.bringsNext && !this.#isStopping;
        const settled = await source.settle(delivery.job, ending.settlement, wantsNext);
        if (settled.isRecorded) this.#tell(delivery, ending, settled);
        else if (ending.outcome === "succeeded") this.#keepInMind(delivery);
        return settled.next;
      } catch (thrown) {
        onError(thrown);
        await pause(backoffMs(outage, failures));
      }
    }
  }

  /** Until it is delivered here again, or there are too many: it may as well have gone to another process. */
  #keepInMind(delivery: Delivery<Job>): void {
    delivery.isUnrecorded = true;
    const kept = [...this.#setUp.inFlight.values()].filter(({ isUnrecorded }) => isUnrecorded);
    const [oldest] = kept;
    if (kept.length > maxUnrecorded && oldest !== undefined) this.#setUp.inFlight.delete(oldest.job.id);
  }

  /** Counts what the engine has recorded, and tells the observers. */
  #tell({ job, description }: Delivery<Job>, ending: Ending, { isCancelled }: Settled<Job>): void {
    const { outcome, error } = isCancelled ? cancelled(ending.error) : ending;
    if (outcome === undefined) return;
    if (outcome === "dead-lettered" || outcome === "lost") this.#counts.deadLettered++;
    else this.#counts[outcome]++;
    this.#setUp.runner.settled({ jobName: job.name, delivery: description, outcome, error });
  }

  stop({ graceMs = 30_000, abortMs = 5_000 }: StopOptions = {}): Promise<WorkerReport> {
    requireMs("`graceMs`", graceMs);
    requireMs("`abortMs`", abortMs);
    this.#stopped ??= this.#stop(graceMs, abortMs);
    return this.#stopped;
  }

  async #stop(graceMs: number, abortMs: number): Promise<WorkerReport> {
    const { source, onError } = this.#setUp;
    this.#stopping.abort();
    this.#roomMade();
    await this.#idle(graceMs);
    for (const delivery of this.#running) delivery.interrupt();
    await this.#idle(abortMs);
    try {
      // What a fetch still brings goes back with the rest.
      await withDeadline(this.#fetching, handBackMs, "a worker's last fetch");
    } catch (error) {
      onError(error);
    }
    await this.#abandonRest();
    this.#leases.stop();
    try {
      await withDeadline(source.close(), handBackMs, "closing a worker's source");
    } catch (error) {
      onError(error);
    }
    this.#isOver = true;
    this.#setUp.onStopped();
    return { ...this.#counts };
  }

  /** Resolves once nothing runs and nothing is being fetched, or when the time is up. */
  async #idle(withinMs: number): Promise<void> {
    const endMs = performance.now() + withinMs;
    let isFetching = true;
    this.#fetching.then(() => {
      isFetching = false;
    });
    await null;
    while ((isFetching || this.#running.size > 0) && performance.now() < endMs) {
      await pause(Math.min(10, Math.max(0, endMs - performance.now())));
    }
  }

  async #abandonRest(): Promise<void> {
    const { source, onError } = this.#setUp;
    const rest = [...this.#running];
    const settlements = rest.map(async (delivery) => {
      delivery.isAbandoned = true;
      // What has run already, and could not be recorded so far, is not to run again.
      const ending = delivery.ending ?? handedBack;
      if (delivery.ending === undefined) this.#counts.abandoned++;
      const settled = await source.settle(delivery.job, ending.settlement, false);
      if (settled.isRecorded) this.#tell(delivery, ending, settled);
    });
    try {
      await withDeadline(Promise.all(settlements), handBackMs, "handing back what still runs");
    } catch (error) {
      onError(error);
    }
  }

  async #pause(ms: number): Promise<void> {
    // An abort ends it early, which is what it is for.
    await pause(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function requireMs(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > 2 ** 31 - 1) {
    throw refusal(
      what,
      "a whole number of milliseconds from 0",
      value,
      typeof value === "number" ? RangeError : TypeError,
    );
  }
}
