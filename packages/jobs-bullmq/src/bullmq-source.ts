import type { JobSource, Settled, Settlement } from "@nidus/jobs-durable";
import type { Job } from "bullmq";
import type { Lane } from "./lane.ts";
import { LaneWaiting } from "./lane-waiting.ts";
import { describeJob, type LeasedJob } from "./leased-job.ts";
import { renewLeases, tellStalled } from "./leases.ts";
import { mendJob, returnLostLeases } from "./lost-leases.ts";
import type { Queues } from "./queues.ts";
import type { RedisClock } from "./redis-clock.ts";
import { isRefusedScript } from "./refusals.ts";
import { Settling } from "./settling.ts";
import type { StoredData } from "./stored-data.ts";
import type { StoredFacts } from "./stored-fields.ts";

/** How often somebody hears of a job that is in the wrong queue. */
const putOffMs = 60_000;

/** Fetches from BullMQ by hand, one queue per job name, and settles one by one. */
export class BullmqSource implements JobSource<LeasedJob> {
  /** Of several names, the one that has just run is not to be the next one too. */
  readonly bringsNext: boolean;
  readonly #queues: Queues;
  readonly #clock: RedisClock;
  readonly #leaseMs: number;
  readonly #lanes: Map<string, Lane>;
  readonly #settling: Settling;
  readonly #waiting: LaneWaiting;
  readonly #onError: (error: unknown) => void;
  readonly #stopListening: () => void;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #checkedAtMs = performance.now();
  #isChecking = false;
  #isCheckDue = false;
  #isClosed = false;

  constructor(
    queues: Queues,
    lanes: Map<string, Lane>,
    clock: RedisClock,
    leaseMs: number,
    onError: (error: unknown) => void,
  ) {
    this.#queues = queues;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#lanes = lanes;
    this.bringsNext = lanes.size === 1;
    this.#settling = new Settling(queues, clock, leaseMs, onError);
    this.#waiting = new LaneWaiting((lane, error) => this.#fail(lane, error), onError);
    this.#onError = onError;
    // What was on its way when the connection broke is sent again, and what the first sending did is not told.
    this.#stopListening = queues.onReconnected(() => this.#check());
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly LeasedJob[]> {
    this.#checkInTime();
    const lanes = this.#inTurn();
    const found = await this.#take(lanes, limit);
    const jobs = found.length > 0 || signal.aborted ? found : await this.#waiting.wait(lanes, limit, signal);
    const described = await Promise.all(jobs.map(([lane, stored]) => this.#formatValue(lane, stored)));
    return described.filter((job) => job !== undefined);
  }

  /** Undefined for a stray one, which is put off. At once for most jobs: only of some there is something to ask. */
  #formatValue(lane: Lane, stored: Job<StoredData>): LeasedJob | Promise<LeasedJob | undefined> {
    if (stored.name && stored.name !== lane.jobName) return this.#putOff(lane, stored);
    const facts = lane.passage.takeFacts(stored.id as string);
    const hasQuestions = mayHaveRequest(stored) || stored.stalledCounter > 0 || facts.hasBadCounts;
    return hasQuestions ? this.#inquire(lane, stored, facts) : describeJob(lane, stored, facts);
  }

  /** Somebody else has put it there. Nobody here knows it, and it must not come again at once. */
  async #putOff(lane: Lane, stored: Job<StoredData>): Promise<undefined> {
    const { jobName, passage, tokens } = lane;
    const [id, token] = [stored.id as string, stored.token as string];
    passage.takeFacts(id);
    tokens.drop(id, token);
    this.#onError(
      new Error(`a job named "${stored.name}" is in the queue of "${jobName}": put off for a minute`),
    );
    await stored.moveToDelayed(Date.now() + putOffMs, token).catch(this.#onError);
  }

  async #inquire(lane: Lane, stored: Job<StoredData>, facts: StoredFacts): Promise<LeasedJob> {
    try {
      const client = await this.#queues.client;
      if (facts.hasBadCounts) {
        await mendJob(client, lane.keyPrefix, stored.id as string, stored.token as string);
      }
      const isAsked = mayHaveRequest(stored);
      const [[request], followsStalled] = await Promise.all([
        isAsked ? client.hmget(this.#queues.cancelRequestsOf(lane.jobName), stored.id as string) : [null],
        stored.stalledCounter > 0 && tellStalled(client, lane.keyPrefix, stored),
      ]);
      return describeJob(lane, stored, facts, { isCancelRequested: request != null, followsStalled });
    } catch (error) {
      // It is leased already, and must not be lost: a request is found again while it runs.
      this.#onError(error);
      return describeJob(lane, stored, facts);
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
      try {
        const job = lane.isDrained || lane.restsForMs > 0 ? undefined : await lane.take(false);
        if (job !== undefined) taken.push([lane, job]);
      } catch (error) {
        // What one name's keys are must not keep the jobs of the others, and what was taken must run.
        if (!isRefusedScript(error) && taken.length === 0) throw error;
        this.#fail(lane, error);
      }
    }
    return taken;
  }

  /** A look for a job has failed. It may have leased one all the same. */
  #fail(lane: Lane, error: unknown): void {
    this.#onError(error);
    if (isRefusedScript(error)) lane.rest();
    this.#check();
  }

  async settle(job: LeasedJob, settlement: Settlement, wantsNext: boolean): Promise<Settled<LeasedJob>> {
    const { lane, lease } = job;
    const { id, token } = lease;
    job.isGivenBack = settlement.type === "handed-back";
    lane.tokens.reopen(token);
    try {
      const { isRecorded, answer, wasAnswerLost } = await this.#settling.record(job, settlement, wantsNext);
      lane.tokens.drop(id, token);
      const next = isRecorded && wantsNext ? await this.#next(lane, answer, token) : undefined;
      if (wasAnswerLost) this.#check();
      return { isRecorded, next };
    } finally {
      lane.tokens.close(token);
    }
  }

  /** Whatever goes wrong with the next job, the one before is recorded. */
  async #next(lane: Lane, answer: unknown, token: string): Promise<LeasedJob | undefined> {
    try {
      const next = await lane.next(answer, token);
      return next && (await this.#formatValue(lane, next));
    } catch (error) {
      this.#fail(lane, error);
      return undefined;
    }
  }

  async keepAlive(jobs: readonly LeasedJob[]): Promise<readonly string[]> {
    this.#checkInTime();
    const now = performance.now();
    const isDue = now - this.#renewedAtMs >= this.#leaseMs / 4;
    const lanes = [...new Set(jobs.map(({ lane }) => lane))];
    const renewals = lanes.map((lane) => {
      // One that goes back is not to be held any more.
      const own = jobs.filter((job) => job.lane === lane && !job.isGivenBack);
      return this.#renew(lane, own, isDue ? this.#leaseMs : 0);
    });
    const settled = await Promise.allSettled(renewals);
    const failures = settled.filter((each) => each.status === "rejected").map(({ reason }) => reason);
    if (failures.length > 0 && failures.length === settled.length) throw failures[0];
    for (const failure of failures) this.#onError(failure);
    if (isDue) this.#renewedAtMs = now;
    return settled.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  }

  async #renew(lane: Lane, jobs: readonly LeasedJob[], leaseMs: number): Promise<readonly string[]> {
    const client = await this.#queues.client;
    const requests = this.#queues.cancelRequestsOf(lane.jobName);
    const leases = jobs.map(({ lease }) => lease);
    const requested = await renewLeases(client, lane.keyPrefix, requests, leaseMs, leases);
    for (const job of jobs) job.isRequested ||= requested.includes(job.id);
    return requested;
  }

  #checkInTime(): void {
    if (performance.now() - this.#checkedAtMs >= this.#leaseMs / 3) this.#check();
  }

  /** Looks for leases that nobody here knows of, and at the clock: one check at a time, and one more for all who ask meanwhile. */
  async #check(): Promise<void> {
    this.#isCheckDue = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    while (this.#isCheckDue && !this.#isClosed) {
      this.#isCheckDue = false;
      this.#checkedAtMs = performance.now();
      try {
        const client = await this.#queues.client;
        await this.#clock.measure(client);
        const lanes = [...this.#lanes.values()];
        await Promise.all(lanes.map((lane) => returnLostLeases(client, lane)));
      } catch (error) {
        if (!this.#isClosed) this.#onError(error);
      }
    }
    this.#isChecking = false;
  }

  async close(): Promise<void> {
    this.#stopListening();
    // Closing ends what still waits for jobs. One that was taken in that very moment goes back, over the connection that is shared.
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close(true)));
    await this.#waiting.settled();
    this.#isClosed = true;
  }
}

/** What only waits is taken out when it is cancelled, unless BullMQ ties it to something else: a request is noted of the rest. */
function mayHaveRequest({ attemptsStarted, repeatJobKey, parentKey, deduplicationId }: Job): boolean {
  return attemptsStarted > 1 || (repeatJobKey ?? parentKey ?? deduplicationId) !== undefined;
}
