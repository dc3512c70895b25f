import type { StoredJobProgress } from "@nidus/jobs-durable";
import type { JobConsumer, JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import {
  cancelRequestsAmong,
  isRefusedScript,
  type MarkerWatch,
  type RedisClient,
  renewLeases,
  saveProgress,
} from "../bullmq-internals/index.ts";
import type { RedisClock } from "../connection/redis-clock.ts";
import type { Queues } from "../store/queues.ts";
import { type BullmqLeasedJob, JobDescriber } from "./job-describer.ts";
import { LostLeaseCheck } from "./lost-lease-check.ts";
import { MarkerWait } from "./marker-wait.ts";
import { type ConsumerSettings, OutcomeRecorder } from "./outcome-recorder.ts";
import type { QueueConsumer } from "./queue-consumer.ts";
import { Turns } from "./turns.ts";

type NextAfter = SettleResult & { readonly next?: BullmqLeasedJob | undefined };

/** Fetches jobs from BullMQ's queues, one queue per job name, and settles them one by one. */
export class BullmqConsumer implements JobConsumer<BullmqLeasedJob> {
  readonly #queues: Queues;
  readonly #leaseMs: number;
  readonly #consumers: ReadonlyMap<string, QueueConsumer>;
  readonly #describer: JobDescriber;
  readonly #recorder: OutcomeRecorder;
  readonly #turns: Turns;
  readonly #wait: MarkerWait;
  readonly #lostLeaseCheck: LostLeaseCheck;
  readonly #onError: (error: unknown) => void;
  readonly #stopListening: () => void;

  constructor(
    queues: Queues,
    consumers: ReadonlyMap<string, QueueConsumer>,
    watch: MarkerWatch,
    clock: RedisClock,
    settings: ConsumerSettings,
  ) {
    const { leaseMs, onError } = settings;
    this.#queues = queues;
    this.#leaseMs = leaseMs;
    this.#consumers = consumers;
    this.#describer = new JobDescriber(queues, onError);
    this.#recorder = new OutcomeRecorder(queues, clock, settings);
    this.#lostLeaseCheck = new LostLeaseCheck(queues, consumers, clock, leaseMs, onError);
    this.#turns = new Turns(queues, consumers.values(), clock, (consumer, error) =>
      this.#fail(consumer, error),
    );
    this.#wait = new MarkerWait(watch, consumers.values(), clock, onError);
    this.#onError = onError;
    // ioredis sends a command again if the connection broke before its answer. The first sending may have leased a job.
    this.#stopListening = queues.onReconnected(() => this.#lostLeaseCheck.run());
  }

  async fetch(limit: number, signal: AbortSignal): Promise<readonly BullmqLeasedJob[]> {
    this.#lostLeaseCheck.runIfDue();
    const look = this.#turns.isLookDue ? this.#turns.look() : undefined;
    try {
      let jobs = await this.#turns.take(limit);
      await look;
      if (jobs.length === 0 && !signal.aborted) {
        await this.#wait.untilReady(signal);
        if (!signal.aborted) jobs = await this.#turns.take(limit);
      }
      const described = await Promise.all(
        jobs.map(([consumer, stored]) => this.#describer.describe(consumer, stored)),
      );
      return described.filter((job) => job !== undefined);
    } finally {
      this.#wait.restore();
    }
  }

  /** Handles a failed look for a job. It may have leased a job all the same. */
  #fail(consumer: QueueConsumer, error: unknown): undefined {
    this.#onError(error);
    if (isRefusedScript(error)) consumer.backOff();
    this.#lostLeaseCheck.run();
  }

  settle(job: BullmqLeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    return this.#settle(job, outcome, false);
  }

  /** Brings a job of the same name with the answer of BullMQ. If it is the turn of another name, looks for its job at the same time. */
  settleAndFetch(job: BullmqLeasedJob, outcome: JobOutcome): Promise<NextAfter> {
    if (this.#consumers.size === 1) return this.#settle(job, outcome, true);
    const { consumer } = job;
    const isLookDue = this.#turns.isLookDue;
    const hasLeft = consumer.leave();
    const from = isLookDue ? undefined : (this.#turns.next() ?? consumer);
    if (from === consumer) {
      hasLeft();
      return this.#settle(job, outcome, true);
    }
    const settled = this.#settle(job, outcome, false).finally(hasLeft);
    const next = isLookDue
      ? this.#turns.look().then(() => this.#nextOf(this.#turns.next()))
      : this.#nextOf(from);
    return this.#joined(settled, next);
  }

  /** A job that has come must not be lost if the settlement fails. */
  async #joined(settled: Promise<NextAfter>, next: Promise<BullmqLeasedJob | undefined>): Promise<NextAfter> {
    try {
      const { isRecorded } = await settled;
      return { isRecorded, next: await next };
    } catch (error) {
      next
        .then((job) => job?.consumer.giveBack(job.lease.id, job.lease.token))
        .catch((failure) => this.#onError(failure));
      throw error;
    }
  }

  async #settle(job: BullmqLeasedJob, outcome: JobOutcome, wantsNext: boolean): Promise<NextAfter> {
    const { consumer, lease } = job;
    const { id, token } = lease;
    job.isGoingBack = outcome.type === "released" || outcome.type === "snoozed";
    consumer.tokens.reopen(token);
    try {
      const { isRecorded, answer, wasAnswerLost } = await this.#recorder.record(job, outcome, wantsNext);
      consumer.tokens.drop(id, token);
      const next = isRecorded && wantsNext ? this.#nextFrom(consumer, answer, token) : undefined;
      if (wasAnswerLost) this.#lostLeaseCheck.run();
      return { isRecorded, next: next instanceof Promise ? await next : next };
    } finally {
      consumer.tokens.close(token);
    }
  }

  /** Takes a further job. Never rejects, since the outcome of the job before is recorded. */
  async #nextOf(consumer: QueueConsumer | undefined): Promise<BullmqLeasedJob | undefined> {
    if (consumer === undefined) return undefined;
    try {
      const job = await consumer.take();
      return job && (await this.#describer.describe(consumer, job));
    } catch (error) {
      this.#fail(consumer, error);
      return undefined;
    }
  }

  /** Takes the job that came with an answer. Without a promise if it is plain, since this runs for every job. Never fails. */
  #nextFrom(
    consumer: QueueConsumer,
    answer: unknown,
    token: string,
  ): BullmqLeasedJob | undefined | Promise<BullmqLeasedJob | undefined> {
    const failed = (error: unknown): undefined => this.#fail(consumer, error);
    try {
      const job = consumer.next(answer, token);
      const leased =
        job instanceof Promise
          ? job.then((next) => next && this.#describer.describe(consumer, next))
          : job && this.#describer.describe(consumer, job);
      return leased instanceof Promise ? leased.catch(failed) : leased;
    } catch (error) {
      return failed(error);
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
    await this.#wait.close();
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close(true)));
    this.#lostLeaseCheck.close();
  }
}
