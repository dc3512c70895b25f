import {
  envelopeFrom,
  type FetchedJob,
  type JobSource,
  type Settled,
  type Settlement,
} from "@nidus/jobs-durable";
import { type Job, UnrecoverableError } from "bullmq";
import { type Lane, RetryLater } from "./lane.ts";
import { LaneWaiting } from "./lane-waiting.ts";
import type { Queues } from "./queues.ts";
import { runAtOf, type StoredData } from "./stored-data.ts";

/** A job that BullMQ has given out. */
export interface BullmqFetchedJob extends FetchedJob {
  readonly lane: Lane;
  readonly stored: Job<StoredData>;
}

/** How often somebody hears of a job that is in the wrong queue. */
const putOffMs = 60_000;

/** Fetches from BullMQ by hand, one queue per job name, and settles one by one. */
export class BullmqSource implements JobSource<BullmqFetchedJob> {
  /** Of several names, the one that has just run is not to be the next one too. */
  readonly bringsNext: boolean;
  readonly #queues: Queues;
  readonly #leaseMs: number;
  readonly #token: string = crypto.randomUUID();
  readonly #lanes: Map<string, Lane>;
  readonly #waiting: LaneWaiting;
  readonly #onError: (error: unknown) => void;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(queues: Queues, lanes: Map<string, Lane>, leaseMs: number, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#leaseMs = leaseMs;
    this.#lanes = lanes;
    this.bringsNext = lanes.size === 1;
    this.#waiting = new LaneWaiting(this.#token, onError);
    this.#onError = onError;
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly BullmqFetchedJob[]> {
    const lanes = this.#inTurn();
    const found = await this.#take(lanes, limit);
    const jobs = found.length > 0 || signal.aborted ? found : await this.#waiting.wait(lanes, limit, signal);
    const described = await Promise.all(jobs.map(([lane, stored]) => this.#describe(lane, stored)));
    return described.filter((job) => job !== undefined);
  }

  /** Undefined for a stray one, which is put off. At once for most jobs: only of some a request may have been noted. */
  #describe(lane: Lane, stored: Job<StoredData>): BullmqFetchedJob | Promise<BullmqFetchedJob | undefined> {
    if (stored.name !== lane.jobName) return this.#putOff(lane, stored);
    if (!mayHaveRequest(stored)) return describeJob(lane, stored, false);
    return this.#isCancelRequested(stored).then((isRequested) => describeJob(lane, stored, isRequested));
  }

  /** Somebody else has put it there. Nobody here knows it, and it must not come again at once. */
  async #putOff({ jobName }: Lane, stored: Job<StoredData>): Promise<undefined> {
    this.#onError(
      new Error(`a job named "${stored.name}" is in the queue of "${jobName}": put off for a minute`),
    );
    await stored.moveToDelayed(Date.now() + putOffMs, this.#token).catch(this.#onError);
  }

  async #isCancelRequested({ id, name }: Job<StoredData>): Promise<boolean> {
    try {
      const client = await this.#queues.client;
      const [request] = await client.hmget(this.#queues.cancelRequestsOf(name), id as string);
      return request != null;
    } catch (error) {
      // It is leased already, and must not be lost: a request is found again while it runs.
      this.#onError(error);
      return false;
    }
  }

  /** Each time another one is the first, so that none has to wait for the others to be empty. */
  #inTurn(): readonly Lane[] {
    const [first] = this.#lanes;
    if (first !== undefined) {
      this.#lanes.delete(first[0]);
      this.#lanes.set(...first);
    }
    return [...this.#lanes.values()];
  }

  /** A job of each lane that may have one: the first of them run while the next are fetched. */
  async #take(lanes: readonly Lane[], limit: number): Promise<[Lane, Job<StoredData>][]> {
    const taken: [Lane, Job<StoredData>][] = [];
    for (const lane of lanes) {
      if (taken.length === limit) break;
      const job = lane.isDrained ? undefined : await lane.take(this.#token);
      if (job !== undefined) taken.push([lane, job]);
    }
    return taken;
  }

  async settle(
    { lane, stored, name }: BullmqFetchedJob,
    settlement: Settlement,
    wantsNext: boolean,
  ): Promise<Settled<BullmqFetchedJob>> {
    try {
      const answer = await this.#record(stored, name, settlement, wantsNext);
      return this.#settled(lane, answer, settlement, wantsNext);
    } catch (error) {
      if (codeOf(error) === leaseEnded && (await this.#takeLease(lane, stored))) {
        const answer = await this.#record(stored, name, settlement, wantsNext);
        return this.#settled(lane, answer, settlement, wantsNext);
      }
      if (isLeaseLost(error)) return { isRecorded: false };
      throw error;
    }
  }

  async #settled(
    lane: Lane,
    answer: unknown,
    settlement: Settlement,
    wantsNext: boolean,
  ): Promise<Settled<BullmqFetchedJob>> {
    if (!wantsNext || settlement.type === "handed-back") return { isRecorded: true };
    const next = await lane.next(answer, this.#token);
    return { isRecorded: true, next: next && (await this.#describe(lane, next)) };
  }

  /** A lease that ended in an outage is taken again where nobody else has it yet: what has run need not run again. */
  async #takeLease(lane: Lane, stored: Job<StoredData>): Promise<boolean> {
    const client = await this.#queues.client;
    const lock = `${lane.toKey(stored.id as string)}:lock`;
    return (await client.set(lock, this.#token, "PX", this.#leaseMs, "NX")) !== null;
  }

  async #record(
    stored: Job<StoredData>,
    name: string,
    settlement: Settlement,
    wantsNext: boolean,
  ): Promise<unknown> {
    switch (settlement.type) {
      case "succeeded":
        return stored.moveToCompleted(null, this.#token, wantsNext);
      case "retried": {
        const runAtMs = Date.now() + settlement.delayMs;
        // What is stored, which the handler has not had in its hands.
        const asStored = await (await this.#queues.of(name)).getJob(stored.id as string);
        if (asStored !== undefined) await stored.updateData({ ...asStored.data, runAtMs });
        const later = new RetryLater(settlement.error, settlement.delayMs);
        return stored.moveToFailed(later, this.#token, wantsNext);
      }
      case "dead-lettered":
        return stored.moveToFailed(new UnrecoverableError(settlement.error), this.#token, wantsNext);
      case "cancelled": {
        // BullMQ has no such state: the job goes, and a note of it stays.
        const client = await this.#queues.client;
        const id = stored.id as string;
        await client.hset(this.#queues.cancellationsOf(name), { [id]: Date.now() });
        await client.hdel(this.#queues.cancelRequestsOf(name), id);
        stored.opts.removeOnFail = true;
        return stored.moveToFailed(new UnrecoverableError("cancelled"), this.#token, wantsNext);
      }
      case "handed-back":
        return stored.moveToWait(this.#token);
    }
  }

  async keepAlive(jobs: readonly BullmqFetchedJob[]): Promise<readonly string[]> {
    const now = performance.now();
    const isDue = now - this.#renewedAtMs >= this.#leaseMs / 4;
    const client = await this.#queues.client;
    const cancelled: string[] = [];
    for (const lane of new Set(jobs.map((job) => job.lane))) {
      const own = jobs.filter((job) => job.lane === lane);
      const ids = own.map(({ id }) => id);
      if (isDue)
        await lane.extendJobLocks(
          ids,
          ids.map(() => this.#token),
          this.#leaseMs,
        );
      const asked = await client.hmget(
        this.#queues.cancelRequestsOf((own[0] as BullmqFetchedJob).name),
        ...ids,
      );
      cancelled.push(...ids.filter((_, index) => asked[index] != null));
    }
    if (isDue) this.#renewedAtMs = now;
    return cancelled;
  }

  async close(): Promise<void> {
    // Closing ends what still waits for jobs. One that was taken in that very moment goes back, over the connection that is shared.
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close(true)));
    await this.#waiting.settled();
  }
}

function describeJob(lane: Lane, stored: Job<StoredData>, isCancelRequested: boolean): BullmqFetchedJob {
  return {
    lane,
    stored,
    id: stored.id as string,
    name: stored.name,
    envelope: envelopeFrom(stored.data),
    attempt: stored.attemptsMade + stored.stalledCounter + 1,
    // BullMQ has 0 where nothing was said, and means 1.
    maxAttempts: stored.opts.attempts || 1,
    enqueuedAt: new Date(stored.timestamp),
    runAt: runAtOf(stored),
    isCancelRequested,
    followsStalled: false,
  };
}

/** What only waits is taken out when it is cancelled, unless BullMQ ties it to something else: a request is noted of the rest. */
function mayHaveRequest({ attemptsStarted, repeatJobKey, parentKey, deduplicationId }: Job): boolean {
  return attemptsStarted > 1 || (repeatJobKey ?? parentKey ?? deduplicationId) !== undefined;
}

/** BullMQ's code for a job without a lock. */
const leaseEnded = -2;

/** BullMQ's codes for a job that is gone (-1), has no lock, is not active (-3) or has another's lock (-6). */
function isLeaseLost(error: unknown): boolean {
  return [-1, leaseEnded, -3, -6].includes(codeOf(error));
}

function codeOf(error: unknown): number {
  return (error as { code?: number }).code ?? 0;
}
