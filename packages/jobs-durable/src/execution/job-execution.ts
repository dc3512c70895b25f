import type { JobDelivery } from "@nidus/jobs-observe";
import { carrierFrom } from "../backend/carrier.ts";
import type { LeasedJob } from "../backend/job-backend.ts";
import type { StoredJobProgress } from "../backend/stored-job.ts";
import { validDate } from "../backend/valid-date.ts";
import {
  cancelled,
  type ExecutionEnd,
  type ExecutionState,
  isCancellable,
  isUnended,
  released,
} from "./execution-end.ts";
import { type AbortControllerPool, HandlerSignal } from "./handler-signal.ts";
import type { ProgressSaver } from "./progress-saver.ts";

/** One delivery of a job in this process: how far it has come, and how it ended. */
export class JobExecution<Job extends LeasedJob> {
  readonly job: Job;
  /** The description of the execution for observers and handlers. */
  readonly delivery: JobDelivery;
  /** The signal of its handler. */
  readonly signal: HandlerSignal;
  #state: ExecutionState;
  #onEnd: ((end: ExecutionEnd) => void)[] = [];
  /** Saves the progress of its handler, once that has reported one. */
  progress: ProgressSaver | undefined;
  /** Its place among the running executions. They alone set it. */
  place = 0;
  /** The execution before, if this one ends as that does. */
  adopted: JobExecution<Job> | undefined;
  /** The execution of the same job that came to this process after this one. */
  supersededBy: JobExecution<Job> | undefined;

  /** Takes the names that observers are told of the engine and of the job's queue. */
  constructor(job: Job, engine: string, queue: string, pool: AbortControllerPool) {
    this.job = job;
    this.delivery = describeDelivery(job, engine, queue);
    this.signal = new HandlerSignal(pool);
    this.#state = { phase: "waiting", stop: job.isCancelRequested ? "cancelled" : undefined };
  }

  get state(): ExecutionState {
    return this.#state;
  }

  /** How the execution ended. Undefined while its handler runs or may run. */
  get end(): ExecutionEnd | undefined {
    return isUnended(this.#state) ? undefined : this.#state.end;
  }

  /** Whether no outcome of it is recorded any more: it was settled or abandoned, or another execution has its place. */
  get isOver(): boolean {
    const { phase } = this.#state;
    return phase === "abandoned" || phase === "settled" || this.supersededBy !== undefined;
  }

  get isRecorded(): boolean {
    return this.#state.phase === "settled" && this.#state.isRecorded;
  }

  /** Whether it has succeeded, and its lease was over before that could be recorded: the job comes again, and must not run again. */
  get isUnrecordedSuccess(): boolean {
    const state = this.#state;
    const isLost = state.phase === "settled" && !state.isRecorded && state.hasRun;
    return isLost && state.end.outcome.type === "succeeded";
  }

  /** Why its handler is to end. Undefined if nothing has asked for that, or the handler has ended. */
  get stopReason(): "cancelled" | "interrupted" | undefined {
    return isUnended(this.#state) ? this.#state.stop : undefined;
  }

  /** Its handler is called, or the adopted one's end is awaited. */
  begin(): void {
    this.#state = { phase: "running", stop: this.stopReason };
  }

  /** Resolves when its handler has ended. */
  ended(): Promise<ExecutionEnd> {
    const { end } = this;
    return end === undefined ? new Promise((resolve) => this.#onEnd.push(resolve)) : Promise.resolve(end);
  }

  /** Says what becomes of the job, unless it turns out to have been cancelled. */
  conclude(end: ExecutionEnd): void {
    if (isUnended(this.#state))
      this.#state = { phase: "ended", end, hasRun: this.#state.phase === "running" };
    for (const resolve of this.#onEnd) resolve(end);
    this.progress?.stop();
    this.signal.end();
  }

  /** Returns the end that the engine is asked to record. It stays as it is from then on. */
  beginSettling(): ExecutionEnd {
    if (this.#state.phase === "ended") this.#state = { ...this.#state, phase: "settling" };
    return this.end as ExecutionEnd;
  }

  /** The engine has answered. Returns false if it had answered before, to an earlier try. */
  settled(isRecorded: boolean): boolean {
    const state = this.#state;
    if (isUnended(state) || state.phase === "settled") return false;
    this.#state = { phase: "settled", end: state.end, hasRun: state.hasRun, isRecorded };
    return true;
  }

  /** Stops waiting for the handler. Returns the end to record: its own if the handler has ended, else a release. */
  abandon(): ExecutionEnd {
    const state = this.#state;
    const { end = released } = this;
    this.#state = {
      phase: "abandoned",
      end,
      hasRun: isUnended(state) ? state.phase === "running" : state.hasRun,
    };
    this.progress?.stop();
    return end;
  }

  /** Ends the run through its signal. A failure or a snooze that is not being recorded yet becomes a cancellation. */
  cancel(): void {
    this.#stop("cancelled", "the job was cancelled");
    this.adopted?.cancel();
    const state = this.#state;
    if (state.phase === "ended" && isCancellable(state.end)) {
      this.#state = { ...state, end: cancelled(state.end.error) };
    }
  }

  /** Ends the run through its signal, for another worker to repeat it. */
  interrupt(): void {
    this.#stop("interrupted", "the worker is stopping");
    this.adopted?.interrupt();
  }

  #stop(stop: "cancelled" | "interrupted", message: string): void {
    // A cancelled execution stays cancelled if the worker stops, too.
    if (isUnended(this.#state) && this.#state.stop !== "cancelled") this.#state = { ...this.#state, stop };
    this.signal.abort(message);
  }

  /** The execution that holds the lease of the job: this one, or the last of those that have adopted it. */
  get holder(): JobExecution<Job> {
    const { supersededBy } = this;
    return supersededBy?.adopted === this ? supersededBy.holder : this;
  }

  /** The last progress that the handler has reported, here or in the adopted execution. */
  get lastProgress(): StoredJobProgress | undefined {
    return this.progress?.last ?? this.adopted?.lastProgress;
  }
}

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** Describes a delivery to observers and handlers. Other programs write to stores, too: dates are valid, and numbers whole. */
function describeDelivery(job: LeasedJob, engine: string, queue: string): JobDelivery {
  const { carrier = noHeaders, correlationId, payloadBytes } = job.envelope;
  const enqueuedAt = validDate(job.enqueuedAt) ?? validDate(job.runAt) ?? new Date();
  return Object.freeze({
    engine,
    queue,
    jobId: job.id,
    attempt: wholeNumber(job.attempt),
    maxAttempts: wholeNumber(job.maxAttempts),
    enqueuedAt,
    runAt: validDate(job.runAt) ?? enqueuedAt,
    correlationId,
    payloadBytes,
    carrier: Object.freeze(carrier),
    previousCarrier: Object.freeze(carrierFrom(job.previousCarrier)),
    nextCarrier: {},
  });
}

function wholeNumber(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 1;
}
