import { errorsAfter, type JobOutcome } from "@nidus/jobs-durable/backend";
import { UnrecoverableError } from "bullmq";
import {
  type Clock,
  forceEndJob,
  hasOpenChildren,
  isLeaseLost,
  isRefusedScript,
  type LeaseState,
  leaseStateOf,
  RetryLater,
  returnValueOf,
  saveProgress,
} from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import { keyHeldMs, type RetentionSeconds } from "../store/stored-data.ts";
import { type BullmqLeasedJob, carrierText } from "./leased-job.ts";

/** The settings of a backend that matter to its consumers. */
export interface ConsumerSettings {
  readonly leaseMs: number;
  readonly retention: RetentionSeconds;
  readonly onError: (error: unknown) => void;
}

/** Whether an outcome was recorded, and what came with the answer. */
export interface RecordResult {
  readonly isRecorded: boolean;
  /** BullMQ's answer, with the next job if there is one. */
  readonly answer?: unknown;
  /** Whether an earlier try lost its answer. A next job may have come with that answer. */
  readonly wasAnswerLost?: boolean;
}

/** Records the outcomes of jobs, each only if its lease holds. */
export class OutcomeRecorder {
  readonly #queues: Queues;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #retainSucceededSeconds: number;
  readonly #onError: (error: unknown) => void;

  constructor(queues: Queues, clock: Clock, { leaseMs, retention, onError }: ConsumerSettings) {
    this.#queues = queues;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#retainSucceededSeconds = retention.succeededSeconds;
    this.#onError = onError;
  }

  /** Records an outcome. Rejects only for an error that may pass, such as a broken connection. */
  async record(job: BullmqLeasedJob, outcome: JobOutcome, wantsNext: boolean): Promise<RecordResult> {
    for (let isRepeated = false; ; isRepeated = true) {
      try {
        return { isRecorded: true, answer: await this.#try(job, outcome, wantsNext) };
      } catch (error) {
        if (hasOpenChildren(error)) return await this.#failParent(job, error);
        if (isRefusedScript(error)) return await this.#forceEnd(job, outcome, error);
        if (!isLeaseLost(error)) throw error;
        const state = await this.#leaseStateOf(job, outcome);
        if (state !== "held") return { isRecorded: state === "recorded", wasAnswerLost: true };
        if (isRepeated) throw error;
      }
    }
  }

  async #leaseStateOf(
    { name, worker, stored, lease, mark }: BullmqLeasedJob,
    { type }: JobOutcome,
  ): Promise<LeaseState> {
    const { removeOnComplete, removeOnFail } = stored.opts;
    const isEnd = type === "succeeded" || type === "cancelled";
    const keeps = type === "dead-lettered" ? removeOnFail : isEnd ? removeOnComplete : undefined;
    const cancellations = this.#queues.cancellationsOf(name);
    const settled = { type, mark: mark ?? "", isRemoved: keeps === true || keeps === 0 };
    const client = await this.#queues.client;
    return leaseStateOf(client, worker.keyPrefix, cancellations, lease, this.#leaseMs, settled);
  }

  /** Fails a job whose handler has added children that have not ended. BullMQ does not complete it, and would deliver it for ever. */
  async #failParent(job: BullmqLeasedJob, error: unknown): Promise<RecordResult> {
    this.#onError(error);
    await this.record(job, { type: "dead-lettered", error: String((error as Error).message) }, false);
    return { isRecorded: false };
  }

  /** Ends a job without BullMQ's script, which fails each time at data that another program has stored. */
  async #forceEnd(
    { worker, lease }: BullmqLeasedJob,
    outcome: JobOutcome,
    error: unknown,
  ): Promise<RecordResult> {
    this.#onError(error);
    if (outcome.type === "released" || outcome.type === "snoozed") return { isRecorded: false };
    const reason =
      outcome.type === "succeeded" ? undefined : "error" in outcome ? outcome.error : "cancelled";
    const client = await this.#queues.client;
    const isRecorded = await forceEndJob(
      client,
      worker.keyPrefix,
      lease,
      this.#leaseMs,
      reason,
      this.#clock.now(),
    );
    return { isRecorded: isRecorded && (outcome.type === "succeeded" || outcome.type === "dead-lettered") };
  }

  #try(job: BullmqLeasedJob, outcome: JobOutcome, wantsNext: boolean): Promise<unknown> {
    const { worker, stored, lease } = job;
    const { token } = lease;
    const progress = outcome.progress && JSON.stringify(outcome.progress);
    const errors = errorsAfter(job.errors, job, outcome);
    const errorsText = errors === undefined ? "" : JSON.stringify(errors);
    switch (outcome.type) {
      case "succeeded":
        return this.#end(job, { keptLongerMs: this.#keepWithOthers(job), progress }, () =>
          stored.moveToCompleted(returnValueOf(outcome.resultText), token, wantsNext),
        );
      case "dead-lettered":
        return this.#end(job, { errorsText, progress }, () =>
          stored.moveToFailed(new UnrecoverableError(outcome.error), token, wantsNext),
        );
      case "retried": {
        const delayMs = Math.max(1, outcome.delayMs);
        const carrier = carrierText(outcome.carrier, job.attempt + 1);
        const runAt = this.#marked(job, delayMs);
        const note = { ...this.#keysOf(job), lease, runAt, carrier, errorsText, progress };
        stored.opts.backoff = RetryLater.backoff;
        return worker.interceptor.withNote(note, () =>
          stored.moveToFailed(new RetryLater(outcome.error, delayMs), token, wantsNext),
        );
      }
      case "snoozed": {
        const delayMs = Math.max(1, outcome.delayMs);
        const carrier = carrierText(outcome.carrier, job.attempt);
        const note = {
          ...this.#keysOf(job),
          lease,
          runAt: this.#marked(job, delayMs),
          carrier,
          progress,
        };
        return worker.interceptor.withNote(note, () => stored.moveToDelayed(Date.now() + delayMs, token));
      }
      case "cancelled": {
        // BullMQ has no state for cancelled jobs: the job goes, and a note of it stays.
        const cancelledAt = this.#marked(job, 0);
        const held = { keyHeldMs: keyHeldMs(stored), retainedMs: this.#retainSucceededSeconds * 1000 };
        const note = { ...this.#keysOf(job), lease, cancelledAt, progress, ...held };
        stored.opts.removeOnFail = true;
        return worker.interceptor.withNote(note, () =>
          stored.moveToFailed(new UnrecoverableError("cancelled"), token, wantsNext),
        );
      }
      case "released":
        return this.#release(job, progress);
    }
  }

  /** Ends a job together with its cancel request, which comes too late and would stay, and with its last progress. */
  #end(
    job: BullmqLeasedJob,
    more: {
      readonly keptLongerMs?: number;
      readonly errorsText?: string;
      readonly progress: string | undefined;
    },
    settle: () => Promise<unknown>,
  ): Promise<unknown> {
    const { keptLongerMs = 0, errorsText = "", progress } = more;
    const isPlain = keptLongerMs === 0 && errorsText === "" && progress === undefined;
    if (!job.isRequested && isPlain) return settle();
    return job.worker.interceptor.withNote({ ...this.#keysOf(job), lease: job.lease, ...more }, settle);
  }

  /**
   * Lets BullMQ keep a job for as long as the others, since it would remove these by the job's own age. Returns the milliseconds by which
   * the job's own retention is longer, and less than 0 if it is shorter.
   */
  #keepWithOthers({ stored, ownRetentionSeconds }: BullmqLeasedJob): number {
    if (ownRetentionSeconds === undefined) return 0;
    stored.opts.removeOnComplete = { age: this.#retainSucceededSeconds };
    return (ownRetentionSeconds - this.#retainSucceededSeconds) * 1000;
  }

  /** BullMQ's script for this is not intercepted: the progress goes before it. */
  async #release({ worker, stored, lease }: BullmqLeasedJob, progress: string | undefined): Promise<unknown> {
    if (progress !== undefined) {
      await saveProgress(await this.#queues.client, worker.keyPrefix, lease, progress);
    }
    return stored.moveToWait(lease.token);
  }

  /** Returns a moment of Redis's clock, with a fraction that is the same at each try to settle the job. */
  #marked(job: BullmqLeasedJob, delayMs: number): string {
    job.mark ??= String(Math.floor(Math.random() * 1e9));
    return `${this.#clock.now() + delayMs}.${job.mark}`;
  }

  #keysOf({ name, worker }: BullmqLeasedJob): { keys: string; requests: string; cancellations: string } {
    return {
      keys: worker.keyPrefix,
      requests: this.#queues.cancelRequestsOf(name),
      cancellations: this.#queues.cancellationsOf(name),
    };
  }
}
