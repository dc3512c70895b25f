import type { StoredJobProgress } from "@nidus/jobs-durable";
import type { JobConsumer, JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import {
  cancelRequestsAmong,
  isRefusedScript,
  type RedisClient,
  renewLeases,
  saveProgress,
} from "../bullmq-internals/index.ts";
import type { RedisClock } from "../connection/redis-clock.ts";
import type { Queues } from "../store/queues.ts";
import type { StoredData } from "../store/stored-data.ts";
import { BlockingFetch } from "./blocking-fetch.ts";
import { JobDescriber } from "./job-describer.ts";
import type { BullmqLeasedJob } from "./leased-job.ts";
import { LostLeaseCheck } from "./lost-lease-check.ts";
import { type ConsumerSettings, OutcomeRecorder } from "./outcome-recorder.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/** Fetches jobs from BullMQ's queues, one queue per job name, and settles them one by one. */
export class BullmqConsumer implements JobConsumer<BullmqLeasedJob> {
  /** Undefined for several names, since the name that has just run must not be the next one too. */
  readonly settleAndFetch?: NonNullable<JobConsumer<BullmqLeasedJob>["settleAndFetch"]>;
  readonly #queues: Queues;
  readonly #leaseMs: number;
  readonly #consumers: Map<string, QueueConsumer>;
  readonly #describer: JobDescriber;
  readonly #recorder: OutcomeRecorder;
  readonly #blockingFetch: BlockingFetch;
  readonly #lostLeaseCheck: LostLeaseCheck;
  readonly #onError: (error: unknown) => void;
  readonly #stopListening: () => void;

  constructor(
    queues: Queues,
    consumers: Map<string, QueueConsumer>,
    clock: RedisClock,
    settings: ConsumerSettings,
  ) {
    const { leaseMs, onError } = settings;
    this.#queues = queues;
    this.#leaseMs = leaseMs;
    this.#consumers = consumers;
    if (consumers.size === 1) this.settleAndFetch = (job, outcome) => this.#settle(job, outcome, true);
    this.#describer = new JobDescriber(queues, onError);
    this.#recorder = new OutcomeRecorder(queues, clock, settings);
    this.#lostLeaseCheck = new LostLeaseCheck(queues, consumers, clock, leaseMs, onError);
    this.#blockingFetch = new BlockingFetch((consumer, error) => this.#fail(consumer, error), onError);
    this.#onError = onError;
    // ioredis sends a command again if the connection broke before its answer. The first sending may have leased a job.
    this.#stopListening = queues.onReconnected(() => this.#lostLeaseCheck.run());
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly BullmqLeasedJob[]> {
    this.#lostLeaseCheck.runIfDue();
    const consumers = this.#inTurn();
    const found = await this.#take(consumers, limit);
    const jobs =
      found.length > 0 || signal.aborted ? found : await this.#blockingFetch.wait(consumers, limit, signal);
    const described = await Promise.all(
      jobs.map(([consumer, stored]) => this.#describer.describe(consumer, stored)),
    );
    return described.filter((job) => job !== undefined);
  }

  /** Returns the consumers, each time with another one first, so that no long queue keeps the others waiting. */
  #inTurn(): readonly QueueConsumer[] {
    const [first] = this.#consumers;
    if (first !== undefined) {
      this.#consumers.delete(first[0]);
      this.#consumers.set(...first);
    }
    return [...this.#consumers.values()];
  }

  /** Takes one job of each consumer that may have one. These run while the next are fetched. */
  async #take(
    consumers: readonly QueueConsumer[],
    limit: number,
  ): Promise<[QueueConsumer, Job<StoredData>][]> {
    const taken: [QueueConsumer, Job<StoredData>][] = [];
    for (const consumer of consumers) {
      if (taken.length === limit) break;
      try {
        const job = consumer.isDrained || consumer.backOffLeftMs > 0 ? undefined : await consumer.take(false);
        if (job !== undefined) taken.push([consumer, job]);
      } catch (error) {
        // Unusable keys of one name must not stop the others, and jobs that were taken must run.
        if (!isRefusedScript(error) && taken.length === 0) throw error;
        this.#fail(consumer, error);
      }
    }
    return taken;
  }

  /** Handles a failed look for a job. It may have leased a job all the same. */
  #fail(consumer: QueueConsumer, error: unknown): void {
    this.#onError(error);
    if (isRefusedScript(error)) consumer.backOff();
    this.#lostLeaseCheck.run();
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
    job.isGoingBack = outcome.type === "released" || outcome.type === "snoozed";
    consumer.tokens.reopen(token);
    try {
      const { isRecorded, answer, wasAnswerLost } = await this.#recorder.record(job, outcome, wantsNext);
      consumer.tokens.drop(id, token);
      const next = isRecorded && wantsNext ? await this.#next(consumer, answer, token) : undefined;
      if (wasAnswerLost) this.#lostLeaseCheck.run();
      return { isRecorded, next };
    } finally {
      consumer.tokens.close(token);
    }
  }

  /** Never rejects, since the outcome of the job before is recorded. */
  async #next(consumer: QueueConsumer, answer: unknown, token: string): Promise<BullmqLeasedJob | undefined> {
    try {
      const next = await consumer.next(answer, token);
      return next && (await this.#describer.describe(consumer, next));
    } catch (error) {
      this.#fail(consumer, error);
      return undefined;
    }
  }

  async renewLeases(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    // A job that goes back needs no lease.
    const held = jobs.filter(({ isGoingBack }) => !isGoingBack);
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
      cancelRequestsAmong(
        client,
        this.#queues.cancelRequestsOf(jobName),
        own.map(({ id }) => id),
      ),
    );
    for (const job of jobs) job.isRequested ||= requested.includes(job.id);
    return requested;
  }

  async saveProgress({ consumer, lease }: BullmqLeasedJob, progress: StoredJobProgress): Promise<void> {
    await saveProgress(await this.#queues.client, consumer.keyPrefix, lease, JSON.stringify(progress));
  }

  /** Asks once for each queue. Rejects only if all queues fail, so that unusable keys of one queue do not stop the others. */
  async #askEach(
    jobs: readonly BullmqLeasedJob[],
    ask: (
      client: RedisClient,
      consumer: QueueConsumer,
      own: readonly BullmqLeasedJob[],
    ) => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    this.#lostLeaseCheck.runIfDue();
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

  async close(): Promise<void> {
    this.#stopListening();
    // Closing ends the waits for jobs. A job that was taken at that moment goes back, over the shared connection.
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close(true)));
    await this.#blockingFetch.settled();
    this.#lostLeaseCheck.close();
  }
}
