import { JobError } from "@nidus/jobs-core";
import type { JobDelivery, JobProgress, ObservedJobContext, ObservedJobRunner } from "@nidus/jobs-observe";
import { tellProgress } from "@nidus/jobs-observe/adapter";
import type { EngineCapabilities } from "../backend/engine-capabilities.ts";
import type { LeasedJob } from "../backend/job-backend.ts";
import type { StoredJobProgress } from "../backend/stored-job.ts";
import { PermanentJobError } from "../errors/errors.ts";
import { retryDelayMs } from "../job/backoff.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import { resultText } from "../job/result.ts";
import {
  cancelled,
  deadLettered,
  type ExecutionEnd,
  type ExecutionState,
  givenUp,
  isCancellable,
  isUnended,
  released,
  retried,
  snoozed,
  succeeded,
  succeededWith,
} from "./execution-end.ts";
import { HandlerContext } from "./handler-context.ts";
import { type AbortControllerPool, HandlerSignal } from "./handler-signal.ts";
import { ProgressSaver } from "./progress-saver.ts";

/** The parts of a worker that the run of a handler uses. */
export interface RunSetUp<Job extends LeasedJob> {
  readonly runner: ObservedJobRunner;
  readonly capabilities: Pick<EngineCapabilities, "snoozing" | "results" | "nullCharacters">;
  /** Undefined if the store does not keep progress. */
  readonly saveProgress: ((job: Job, progress: StoredJobProgress) => Promise<void>) | undefined;
  readonly onError: (error: unknown) => void;
}

/** The run of one delivery, from the engine to the user's handler: the path that every engine's jobs take. */
export class JobExecution<Job extends LeasedJob> {
  readonly job: Job;
  /** The description of the execution for observers and handlers. */
  readonly delivery: JobDelivery;
  readonly #signal: HandlerSignal;
  #state: ExecutionState;
  #onEnd: ((end: ExecutionEnd) => void)[] = [];
  #progress: ProgressSaver | undefined;
  /** Its place among the running executions. They alone set it. */
  place = 0;
  /** The execution before, if this one ends as that does. */
  adopted: JobExecution<Job> | undefined;
  /** The execution of the same job that came to this process after this one. */
  supersededBy: JobExecution<Job> | undefined;

  constructor(job: Job, delivery: JobDelivery, pool: AbortControllerPool) {
    this.job = job;
    this.delivery = delivery;
    this.#signal = new HandlerSignal(pool);
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
    this.#progress?.stop();
    this.#signal.end();
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
    this.#signal.abort(message);
  }

  get #stopReason(): "cancelled" | "interrupted" | undefined {
    return isUnended(this.#state) ? this.#state.stop : undefined;
  }

  /** Returns how the job ends without a run of its handler. Returns undefined if the handler has to run. */
  endWithoutRun(): ExecutionEnd | undefined {
    if (this.#stopReason === "cancelled") return cancelled(undefined);
    if (this.job.unreadable !== undefined) return deadLettered(new JobError(this.job.unreadable));
    const { attempt, maxAttempts } = this.delivery;
    return attempt > maxAttempts ? givenUp(maxAttempts) : undefined;
  }

  /**
   * Ends as an earlier execution of the job does: that one's lease ran out, and its handler runs in this process, or has run. A
   * failure counts as one of this attempt.
   */
  async adopt(
    earlier: JobExecution<Job>,
    definition: AnyDurableJob,
    onError: (error: unknown) => void,
  ): Promise<ExecutionEnd> {
    this.adopted = earlier;
    this.#state = { phase: "running", stop: this.#stopReason };
    if (this.#stopReason === "cancelled") earlier.cancel();
    const end = await earlier.ended();
    return end.outcome.type === "retried"
      ? this.#endAfter(end.error as JobError, definition, earlier, onError)
      : end;
  }

  /** Runs the handler, and says what is to become of the job. It never rejects, and takes as long as the handler does. */
  async run(definition: AnyDurableJob, setUp: RunSetUp<Job>): Promise<ExecutionEnd> {
    const { runner, capabilities, onError } = setUp;
    const { delivery, job } = this;
    const { attributes } = job.envelope;
    const runnerOfJob = attributes === undefined ? runner : runner.context(attributes);
    let run: ObservedJobContext | undefined;
    const context = new HandlerContext(delivery, this.#signal, capabilities.snoozing, (progress) => {
      if (run !== undefined && isUnended(this.#state)) this.#report(run, progress, setUp);
    });
    const options = {
      signal: this.#signal.forRunner,
      delivery,
      onContext: (started: ObservedJobContext) => {
        run = started;
      },
    };
    const observed = { name: job.name, run: () => definition.perform(job.envelope.payload, context) };
    this.#state = { phase: "running", stop: this.#stopReason };
    try {
      const result = await runnerOfJob.runAsync(observed, options);
      if (result === undefined || !capabilities.results) return succeeded;
      return succeededWith(resultText(result, capabilities.nullCharacters));
    } catch (thrown) {
      const snooze = this.#signal.snoozeIn(thrown);
      if (snooze !== undefined && this.#stopReason !== "cancelled") {
        return snoozed(snooze.delayMs, delivery.nextCarrier);
      }
      return this.#endAfter(JobError.from(thrown), definition, this, onError);
    }
  }

  #report(run: ObservedJobContext, progress: JobProgress, { saveProgress, onError }: RunSetUp<Job>): void {
    tellProgress(run, progress);
    if (saveProgress === undefined) return;
    this.#progress ??= new ProgressSaver((last) => saveProgress(this.#holder.job, last), onError);
    this.#progress.report(progress);
  }

  /** The execution that holds the lease of the job: this one, or the last of those that have adopted it. */
  get #holder(): JobExecution<Job> {
    const { supersededBy } = this;
    return supersededBy?.adopted === this ? supersededBy.#holder : this;
  }

  /** The last progress that the handler has reported, here or in the adopted execution. */
  get lastProgress(): StoredJobProgress | undefined {
    return this.#progress?.last ?? this.adopted?.lastProgress;
  }

  /** Decides how the job ends after a failure of the execution `failed`, whose headers go to the next attempt. */
  #endAfter(
    error: JobError,
    definition: AnyDurableJob,
    failed: JobExecution<Job>,
    onError: (error: unknown) => void,
  ): ExecutionEnd {
    if (this.#stopReason === "cancelled") return cancelled(error);
    if (this.#stopReason === "interrupted") return released;
    const { attempt, maxAttempts } = this.delivery;
    if (attempt >= maxAttempts || PermanentJobError.isInstance(error)) return deadLettered(error);
    const backoff = this.job.envelope.backoff ?? definition.backoff;
    return retried(error, retryDelayMs(backoff, attempt, error, onError), failed.delivery.nextCarrier);
  }
}
