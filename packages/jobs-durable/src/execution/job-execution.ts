import { JobError } from "@nidus/jobs-core";
import { neverAbortedSignal } from "@nidus/jobs-core/adapter";
import type { JobDelivery, ObservedJobRunner } from "@nidus/jobs-observe";
import type { LeasedJob } from "../backend/job-backend.ts";
import { PermanentJobError } from "../errors/errors.ts";
import { backoffMs } from "../job/backoff.ts";
import type { AnyDurableJob } from "../job/durable-job.ts";
import type { AbortControllerPool } from "./abort-controller-pool.ts";
import { describeDelivery } from "./describe-delivery.ts";
import {
  cancelled,
  deadLettered,
  type ExecutionEnd,
  givenUp,
  released,
  retried,
  succeeded,
} from "./execution-end.ts";
import { HandlerContext } from "./handler-context.ts";

/** One delivery, from the engine to the user's handler: the path that every engine's jobs take. */
export class JobExecution<Job extends LeasedJob> {
  readonly job: Job;
  /** What observers and handlers see of it. */
  readonly description: JobDelivery;
  readonly #controllers: AbortControllerPool;
  readonly #controller: AbortController;
  #isSignalSeen = false;
  #isCancelled: boolean;
  #isInterrupted = false;
  /** The delivery before, if this one ends as that does. */
  adopted: JobExecution<Job> | undefined;
  /** The delivery of the same job that came to this process after this one. */
  supersededBy: JobExecution<Job> | undefined;
  /** Whether its handler was called, in this delivery or in the adopted one. */
  hasRun = false;
  /** Nothing waits for it any more: what its handler does from here on is not recorded. */
  isAbandoned = false;
  /** The engine has been asked to record its ending, which stays as it is from then on. */
  isSettling = false;
  /** The engine has recorded its ending. */
  isRecorded = false;
  /** It has succeeded, and its lease was over before that could be recorded: the job comes again, and is not to run again. */
  isUnrecorded = false;
  /** Known once its handler has ended. */
  ending: ExecutionEnd | undefined;
  #onEnd: ((ending: ExecutionEnd) => void)[] = [];

  constructor(job: Job, engine: string, queue: string, controllers: AbortControllerPool) {
    this.description = describeDelivery(job, engine, queue);
    this.#controllers = controllers;
    this.#controller = controllers.take();
    this.job = job;
    this.#isCancelled = job.isCancelRequested;
  }

  /** Whether nothing that becomes of it is to be recorded: it was abandoned, or another delivery has taken its place. */
  get isOver(): boolean {
    return this.isAbandoned || this.supersededBy !== undefined;
  }

  /** Resolves when its handler has ended. */
  ended(): Promise<ExecutionEnd> {
    const { ending } = this;
    if (ending !== undefined) return Promise.resolve(ending);
    return new Promise((resolve) => this.#onEnd.push(resolve));
  }

  /** What is to be recorded, unless a failure turns out to have been cancelled. */
  end(ending: ExecutionEnd): void {
    this.ending = ending;
    for (const resolve of this.#onEnd) resolve(ending);
    if (!this.#isSignalSeen) this.#controllers.giveBack(this.#controller);
  }

  /** Whether its handler has failed, without having been cancelled. */
  get hasFailed(): boolean {
    const type = this.ending?.outcome.type;
    return type === "retried" || type === "dead-lettered";
  }

  /** Ends the run through its signal, and makes a failure that is not being recorded yet the end: no further attempt follows. */
  cancel(): void {
    this.#isCancelled = true;
    this.#abort(new DOMException("the job was cancelled", "AbortError"));
    this.adopted?.cancel();
    if (this.hasFailed && !this.isSettling) this.ending = cancelled(this.ending?.error);
  }

  /** Ends the run through its signal, for another worker to repeat it. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#abort(new DOMException("the worker is stopping", "AbortError"));
    this.adopted?.interrupt();
  }

  /** Once its handler has ended, the controller is no longer this delivery's. */
  #abort(reason: DOMException): void {
    if (this.ending === undefined) this.#controller.abort(reason);
  }

  /** What becomes of the job without its handler, if anything. */
  endingWithoutRun(): ExecutionEnd | undefined {
    if (this.#isCancelled) return cancelled(undefined);
    if (this.job.unreadable !== undefined) return deadLettered(new JobError(this.job.unreadable));
    const { attempt, maxAttempts } = this.description;
    return attempt > maxAttempts ? givenUp(maxAttempts) : undefined;
  }

  /**
   * Ends as an earlier delivery of the job does: that one's lease ran out, and its handler runs in this process, or has run. A
   * failure counts as one of this attempt.
   */
  async adopt(earlier: JobExecution<Job>, definition: AnyDurableJob): Promise<ExecutionEnd> {
    this.adopted = earlier;
    this.hasRun = true;
    if (this.#isCancelled) earlier.cancel();
    const ending = await earlier.ended();
    return ending.outcome.type === "retried"
      ? this.#endingAfter(ending.error as JobError, definition)
      : ending;
  }

  /** Runs the handler, and says what is to become of the job. It never rejects, and takes as long as the handler does. */
  async run(definition: AnyDurableJob, runner: ObservedJobRunner): Promise<ExecutionEnd> {
    const { description: delivery, job } = this;
    const context = new HandlerContext(delivery, () => this.#seenSignal());
    const observed = { name: job.name, run: () => definition.perform(job.envelope.payload, context) };
    this.hasRun = true;
    try {
      await runner.runAsync(observed, { signal: this.#controller.signal, delivery });
      return succeeded;
    } catch (thrown) {
      return this.#endingAfter(JobError.from(thrown), definition);
    }
  }

  #seenSignal(): AbortSignal {
    // Asked for only when all was over, it would be another delivery's.
    if (this.ending !== undefined && !this.#isSignalSeen) return neverAbortedSignal();
    this.#isSignalSeen = true;
    return this.#controller.signal;
  }

  #endingAfter(error: JobError, { backoff }: AnyDurableJob): ExecutionEnd {
    if (this.#isCancelled) return cancelled(error);
    if (this.#isInterrupted) return released;
    const { attempt, maxAttempts } = this.description;
    if (attempt >= maxAttempts || PermanentJobError.isInstance(error)) return deadLettered(error);
    return retried(error, backoffMs(backoff, attempt));
  }
}
