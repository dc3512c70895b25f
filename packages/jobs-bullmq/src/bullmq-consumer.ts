import type { JobConsumer, JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import { BlockingFetch } from "./blocking-fetch.ts";
import { type BullmqLeasedJob, describeJob } from "./leased-job.ts";
import { renewLeases, requestedOf, tellStalled } from "./leases.ts";
import { mendJob, returnLostLeases } from "./lost-leases.ts";
import type { QueueConsumer } from "./queue-consumer.ts";
import type { Queues, RedisClient } from "./queues.ts";
import type { RedisClock } from "./redis-clock.ts";
import { isRefusedScript } from "./refusals.ts";
import { Settling } from "./settling.ts";
import type { StoredData } from "./stored-data.ts";
import type { StoredFacts } from "./stored-fields.ts";

/** How often somebody hears of a job that is in the wrong queue. */
const putOffMs = 60_000;

/** Fetches from BullMQ by hand, one queue per job name, and settles one by one. */
export class BullmqConsumer implements JobConsumer<BullmqLeasedJob> {
  /** Of several names, the one that has just run is not to be the next one too. */
  readonly settleAndFetch?: NonNullable<JobConsumer<BullmqLeasedJob>["settleAndFetch"]>;
  readonly #queues: Queues;
  readonly #clock: RedisClock;
  readonly #leaseMs: number;
  readonly #consumers: Map<string, QueueConsumer>;
  readonly #settling: Settling;
  readonly #waiting: BlockingFetch;
  readonly #onError: (error: unknown) => void;
  readonly #stopListening: () => void;
  #checkedAtMs = performance.now();
  #isChecking = false;
  #isCheckDue = false;
  #isClosed = false;

  constructor(
    queues: Queues,
    consumers: Map<string, QueueConsumer>,
    clock: RedisClock,
    leaseMs: number,
    onError: (error: unknown) => void,
  ) {
    this.#queues = queues;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#consumers = consumers;
    if (consumers.size === 1) this.settleAndFetch = (job, outcome) => this.#settle(job, outcome, true);
    this.#settling = new Settling(queues, clock, leaseMs, onError);
    this.#waiting = new BlockingFetch((consumer, error) => this.#fail(consumer, error), onError);
    this.#onError = onError;
    // What was on its way when the connection broke is sent again, and what the first sending did is not told.
    this.#stopListening = queues.onReconnected(() => this.#check());
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly BullmqLeasedJob[]> {
    this.#checkInTime();
    const consumers = this.#inTurn();
    const found = await this.#take(consumers, limit);
    const jobs =
      found.length > 0 || signal.aborted ? found : await this.#waiting.wait(consumers, limit, signal);
    const described = await Promise.all(jobs.map(([consumer, stored]) => this.#describe(consumer, stored)));
    return described.filter((job) => job !== undefined);
  }

  /** Undefined for a stray one, which is put off. At once for most jobs: only of some there is something to ask. */
  #describe(
    consumer: QueueConsumer,
    stored: Job<StoredData>,
  ): BullmqLeasedJob | Promise<BullmqLeasedJob | undefined> {
    if (stored.name && stored.name !== consumer.jobName) return this.#putOff(consumer, stored);
    const facts = consumer.passage.takeFacts(stored.id as string);
    const hasQuestions = mayHaveRequest(stored) || stored.stalledCounter > 0 || facts.hasBadCounts;
    return hasQuestions ? this.#inquire(consumer, stored, facts) : describeJob(consumer, stored, facts);
  }

  /** Somebody else has put it there. Nobody here knows it, and it must not come again at once. */
  async #putOff(consumer: QueueConsumer, stored: Job<StoredData>): Promise<undefined> {
    const { jobName, passage, tokens } = consumer;
    const [id, token] = [stored.id as string, stored.token as string];
    passage.takeFacts(id);
    tokens.drop(id, token);
    this.#onError(
      new Error(`a job named "${stored.name}" is in the queue of "${jobName}": put off for a minute`),
    );
    await stored.moveToDelayed(Date.now() + putOffMs, token).catch(this.#onError);
  }

  async #inquire(
    consumer: QueueConsumer,
    stored: Job<StoredData>,
    facts: StoredFacts,
  ): Promise<BullmqLeasedJob> {
    try {
      const client = await this.#queues.client;
      if (facts.hasBadCounts) {
        await mendJob(client, consumer.keyPrefix, stored.id as string, stored.token as string);
      }
      const isAsked = mayHaveRequest(stored);
      const [[request], followsStalled] = await Promise.all([
        isAsked ? client.hmget(this.#queues.cancelRequestsOf(consumer.jobName), stored.id as string) : [null],
        stored.stalledCounter > 0 && tellStalled(client, consumer.keyPrefix, stored),
      ]);
      return describeJob(consumer, stored, facts, { isCancelRequested: request != null, followsStalled });
    } catch (error) {
      // It is leased already, and must not be lost: a request is found again while it runs.
      this.#onError(error);
      return describeJob(consumer, stored, facts);
    }
  }

  /** Each time another one is the first, so that none has to wait for the others to be empty. */
  #inTurn(): readonly QueueConsumer[] {
    const [first] = this.#consumers;
    if (first !== undefined) {
      this.#consumers.delete(first[0]);
      this.#consumers.set(...first);
    }
    return [...this.#consumers.values()];
  }

  /** A job of each consumer that may have one: the first of them run while the next are fetched. */
  async #take(
    consumers: readonly QueueConsumer[],
    limit: number,
  ): Promise<[QueueConsumer, Job<StoredData>][]> {
    const taken: [QueueConsumer, Job<StoredData>][] = [];
    for (const consumer of consumers) {
      if (taken.length === limit) break;
      try {
        const job = consumer.isDrained || consumer.restsForMs > 0 ? undefined : await consumer.take(false);
        if (job !== undefined) taken.push([consumer, job]);
      } catch (error) {
        // What one name's keys are must not keep the jobs of the others, and what was taken must run.
        if (!isRefusedScript(error) && taken.length === 0) throw error;
        this.#fail(consumer, error);
      }
    }
    return taken;
  }

  /** A look for a job has failed. It may have leased one all the same. */
  #fail(consumer: QueueConsumer, error: unknown): void {
    this.#onError(error);
    if (isRefusedScript(error)) consumer.rest();
    this.#check();
  }

  settle(job: BullmqLeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    return this.#settle(job, outcome, false);
  }

  async #settle(
    job: BullmqLeasedJob,
    outcome: JobOutcome,
    wantsNext: boolean,
  ): Promise<SettleResult & { readonly next?: BullmqLeasedJob | undefined }> {
    const { consumer, lease } = job;
    const { id, token } = lease;
    job.isReleased = outcome.type === "released";
    consumer.tokens.reopen(token);
    try {
      const { isRecorded, answer, wasAnswerLost } = await this.#settling.record(job, outcome, wantsNext);
      consumer.tokens.drop(id, token);
      const next = isRecorded && wantsNext ? await this.#next(consumer, answer, token) : undefined;
      if (wasAnswerLost) this.#check();
      return { isRecorded, next };
    } finally {
      consumer.tokens.close(token);
    }
  }

  /** Whatever goes wrong with the next job, the one before is recorded. */
  async #next(consumer: QueueConsumer, answer: unknown, token: string): Promise<BullmqLeasedJob | undefined> {
    try {
      const next = await consumer.next(answer, token);
      return next && (await this.#describe(consumer, next));
    } catch (error) {
      this.#fail(consumer, error);
      return undefined;
    }
  }

  async renewLeases(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    // One that goes back is not to be held any more.
    const held = jobs.filter(({ isReleased }) => !isReleased);
    return this.#askEach(held, (client, { keyPrefix }, own) =>
      renewLeases(
        client,
        keyPrefix,
        this.#leaseMs,
        own.map(({ lease }) => lease),
      ),
    );
  }

  async cancelRequests(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    const requested = await this.#askEach(jobs, (client, { jobName }, own) =>
      requestedOf(
        client,
        this.#queues.cancelRequestsOf(jobName),
        own.map(({ id }) => id),
      ),
    );
    for (const job of jobs) job.isRequested ||= requested.includes(job.id);
    return requested;
  }

  /** Asks once for each queue. Rejects if all of them fail: what one queue's keys are must not keep the others waiting. */
  async #askEach(
    jobs: readonly BullmqLeasedJob[],
    ask: (
      client: RedisClient,
      consumer: QueueConsumer,
      own: readonly BullmqLeasedJob[],
    ) => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    this.#checkInTime();
    const client = await this.#queues.client;
    const consumers = [...new Set(jobs.map(({ consumer }) => consumer))];
    const settled = await Promise.allSettled(
      consumers.map((consumer) =>
        ask(
          client,
          consumer,
          jobs.filter((job) => job.consumer === consumer),
        ),
      ),
    );
    const failures = settled.filter((each) => each.status === "rejected").map(({ reason }) => reason);
    if (failures.length > 0 && failures.length === settled.length) throw failures[0];
    for (const failure of failures) this.#onError(failure);
    return settled.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
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
        const consumers = [...this.#consumers.values()];
        await Promise.all(consumers.map((consumer) => returnLostLeases(client, consumer)));
      } catch (error) {
        if (!this.#isClosed) this.#onError(error);
      }
    }
    this.#isChecking = false;
  }

  async close(): Promise<void> {
    this.#stopListening();
    // Closing ends what still waits for jobs. One that was taken in that very moment goes back, over the connection that is shared.
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close(true)));
    await this.#waiting.settled();
    this.#isClosed = true;
  }
}

/** What only waits is taken out when it is cancelled, unless BullMQ ties it to something else: a request is noted of the rest. */
function mayHaveRequest({ attemptsStarted, repeatJobKey, parentKey, deduplicationId }: Job): boolean {
  return attemptsStarted > 1 || (repeatJobKey ?? parentKey ?? deduplicationId) !== undefined;
}
