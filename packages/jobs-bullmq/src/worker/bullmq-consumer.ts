import type { StoredJobProgress } from "@nidus/jobs-durable";
import type { JobConsumer, JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import { isRefusedScript, type MarkerWatch, saveProgress } from "../bullmq-internals/index.ts";
import type { RedisClock } from "../connection/redis-clock.ts";
import type { Queues } from "../store/queues.ts";
import { HeldLeases } from "./held-leases.ts";
import type { BullmqLeasedJob } from "./leased-job.ts";
import { LostLeaseCheck } from "./lost-lease-check.ts";
import { MarkerWait } from "./marker-wait.ts";
import { type ConsumerSettings, OutcomeRecorder } from "./outcome-recorder.ts";
import type { QueueConsumer } from "./queue-consumer.ts";
import { Turns } from "./turns.ts";

type NextAfter = SettleResult & { readonly next?: BullmqLeasedJob | undefined };

/** Fetches jobs from BullMQ's queues, one queue per job name, and settles them one by one. */
export class BullmqConsumer implements JobConsumer<BullmqLeasedJob> {
  readonly #queues: Queues;
  readonly #consumers: ReadonlyMap<string, QueueConsumer>;
  readonly #held: HeldLeases;
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
    this.#consumers = consumers;
    this.#held = new HeldLeases(queues, leaseMs, onError);
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
      let jobs = await this.#take(limit);
      await look;
      if (jobs.length === 0 && !signal.aborted) {
        await this.#wait.untilReady(signal);
        if (!signal.aborted) jobs = await this.#take(limit);
      }
      return jobs;
    } finally {
      this.#wait.restore();
    }
  }

  /** Takes up to `limit` jobs, in one round trip. */
  async #take(limit: number): Promise<readonly BullmqLeasedJob[]> {
    const looks: Promise<BullmqLeasedJob | undefined>[] = [];
    const failed: (readonly [QueueConsumer, unknown])[] = [];
    while (looks.length < limit) {
      const consumer = this.#turns.next(({ state }) => state.isHungry);
      if (consumer === undefined) break;
      looks.push(consumer.take().catch((error: unknown) => void failed.push([consumer, error])));
    }
    const taken = (await Promise.all(looks)).filter((job) => job !== undefined);
    for (const [consumer, error] of failed) {
      // Unusable keys of one name must not stop the others, and jobs that were taken must run.
      if (!isRefusedScript(error) && taken.length === 0) throw error;
      this.#fail(consumer, error);
    }
    return taken;
  }

  /** Handles a failed look for a job. It may have leased a job all the same. */
  #fail(consumer: QueueConsumer, error: unknown): undefined {
    this.#onError(error);
    if (isRefusedScript(error)) consumer.state.backOff();
    this.#lostLeaseCheck.run();
  }

  #consumerOf({ name }: BullmqLeasedJob): QueueConsumer {
    return this.#consumers.get(name) as QueueConsumer;
  }

  settle(job: BullmqLeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    return this.#settle(job, outcome, false);
  }

  /** Brings a job of the same name with the answer of BullMQ. If it is the turn of another name, looks for its job at the same time. */
  settleAndFetch(job: BullmqLeasedJob, outcome: JobOutcome): Promise<NextAfter> {
    if (this.#consumers.size === 1) return this.#settle(job, outcome, true);
    const consumer = this.#consumerOf(job);
    const isLookDue = this.#turns.isLookDue;
    const hasLeft = consumer.state.leave();
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
        .then((job) => job && this.#consumerOf(job).giveBack(job.lease.id, job.lease.token))
        .catch((failure) => this.#onError(failure));
      throw error;
    }
  }

  async #settle(job: BullmqLeasedJob, outcome: JobOutcome, wantsNext: boolean): Promise<NextAfter> {
    const consumer = this.#consumerOf(job);
    const { id, token } = job.lease;
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
      return await consumer.take();
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
      const next = consumer.next(answer, token);
      return next instanceof Promise ? next.catch(failed) : next;
    } catch (error) {
      return failed(error);
    }
  }

  async renewLeases(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    this.#lostLeaseCheck.runIfDue();
    return this.#held.renew(jobs);
  }

  async cancelRequests(jobs: readonly BullmqLeasedJob[]): Promise<readonly string[]> {
    this.#lostLeaseCheck.runIfDue();
    return this.#held.cancelRequests(jobs);
  }

  async saveProgress({ worker, lease }: BullmqLeasedJob, progress: StoredJobProgress): Promise<void> {
    await saveProgress(await this.#queues.client, worker.keyPrefix, lease, JSON.stringify(progress));
  }

  async close(): Promise<void> {
    await this.#wait.close();
    this.#stopListening();
    await this.#lostLeaseCheck.close();
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.close(true)));
  }
}
