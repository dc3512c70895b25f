import { JobError, neverAbortedSignal } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { FetchedJob, Settlement } from "../backend/job-backend.ts";
import { backoffMs } from "../backoff.ts";
import type { JobHandlerContext } from "../durable-job.ts";
import type { AnyDurableJob } from "../engine.ts";
import { PermanentJobError } from "../errors.ts";
import { storableMessage } from "../storable.ts";
import type { UnseenControllers } from "./unseen-controllers.ts";

/** How a delivery ended: what the engine is to record, and what observers are told once it has. */
export interface Ending {
  readonly settlement: Settlement;
  /** Undefined for what was handed back: that delivery has not ended. */
  readonly outcome: Exclude<SettledJobContext["outcome"], "stalled"> | undefined;
  readonly error: JobError | undefined;
}

const succeeded: Ending = { settlement: { type: "succeeded" }, outcome: "succeeded", error: undefined };

/** A job that goes back as it came. */
export const handedBack: Ending = {
  settlement: { type: "handed-back" },
  outcome: undefined,
  error: undefined,
};

/** One delivery, from the engine to the user's handler: the path that every engine's jobs take. */
export class Delivery<Job extends FetchedJob> {
  readonly job: Job;
  /** What observers and handlers see of it. */
  readonly description: JobDelivery;
  readonly #controllers: UnseenControllers;
  readonly #controller: AbortController;
  #isSignalSeen = false;
  #isCancelled: boolean;
  #isInterrupted = false;
  /** Nobody waits for it any more: what its handler does from here on is not recorded. */
  isAbandoned = false;
  /** It has succeeded, and its lease was over before that could be recorded: the job comes again, and is not to run again. */
  isUnrecorded = false;
  /** Known once its handler has ended. */
  ending: Ending | undefined;
  #onEnd: ((ending: Ending) => void)[] = [];

  constructor(job: Job, engine: string, queue: string, controllers: UnseenControllers) {
    this.#controllers = controllers;
    this.#controller = controllers.take();
    const { id: jobId, attempt, maxAttempts, enqueuedAt, runAt, envelope } = job;
    const { carrier = {}, correlationId } = envelope;
    this.job = job;
    this.description = Object.freeze({
      engine,
      queue,
      jobId,
      attempt,
      maxAttempts,
      enqueuedAt,
      runAt,
      correlationId,
      carrier: Object.freeze(carrier),
    });
    this.#isCancelled = job.isCancelRequested;
  }

  /** Resolves when its handler has ended. */
  ended(): Promise<Ending> {
    const { ending } = this;
    if (ending !== undefined) return Promise.resolve(ending);
    return new Promise((resolve) => this.#onEnd.push(resolve));
  }

  /** Whether a second delivery of the job, while this one is not recorded, can only mean that its lease was lost. */
  get isStillDue(): boolean {
    const type = this.ending?.settlement.type;
    return !this.isAbandoned && type !== "retried" && type !== "handed-back";
  }

  /** What is to be recorded, unless a failure turns out to have been cancelled. */
  end(ending: Ending): void {
    this.ending = ending;
    for (const resolve of this.#onEnd) resolve(ending);
    if (!this.#isSignalSeen) this.#controllers.giveBack(this.#controller);
  }

  /** Whether its handler has failed, without having been cancelled. */
  get hasFailed(): boolean {
    return this.ending?.outcome === "retried" || this.ending?.outcome === "dead-lettered";
  }

  /** Ends the run through its signal, and makes a failure that is not recorded yet the end: there will be no further attempt. */
  cancel(): void {
    this.#isCancelled = true;
    this.#abort(new DOMException("the job was cancelled", "AbortError"));
    if (this.hasFailed) this.ending = cancelled(this.ending?.error);
  }

  /** Ends the run through its signal, for another worker to repeat it. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#abort(new DOMException("the worker is stopping", "AbortError"));
  }

  /** Once its handler has ended, the controller is no longer this delivery's. */
  #abort(reason: DOMException): void {
    if (this.ending === undefined) this.#controller.abort(reason);
  }

  /** What becomes of the job without its handler, if anything: it was cancelled before, or workers died with it too often. */
  endingWithoutRun(): Ending | undefined {
    if (this.#isCancelled) return cancelled(undefined);
    const { attempt, maxAttempts, unreadable } = this.job;
    if (unreadable !== undefined) return deadLettered(new JobError(unreadable), "dead-lettered");
    if (attempt <= maxAttempts) return undefined;
    const message = `given up: its worker died ${maxAttempts === 1 ? "in its only attempt" : `in attempt ${maxAttempts} of ${maxAttempts}`}`;
    return deadLettered(new JobError(message), "lost");
  }

  /** Runs the handler, and says what is to become of the job. It never rejects, and takes as long as the handler does. */
  async run(definition: AnyDurableJob, runner: ObservedJobRunner): Promise<Ending> {
    const { description: delivery, job } = this;
    const context = new HandlerContext(delivery, () => this.#seenSignal());
    const observed = { name: job.name, run: () => definition.perform(job.envelope.payload, context) };
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

  #endingAfter(error: JobError, { backoff }: AnyDurableJob): Ending {
    if (this.#isCancelled) return cancelled(error);
    if (this.#isInterrupted) return handedBack;
    const { attempt, maxAttempts } = this.job;
    const message = storableMessage(error);
    if (attempt >= maxAttempts || PermanentJobError.isInstance(error)) {
      return deadLettered(error, "dead-lettered");
    }
    return {
      settlement: { type: "retried", delayMs: backoffMs(backoff, attempt), error: message },
      outcome: "retried",
      error,
    };
  }
}

/**
 * What a handler gets beside its payload. Its signal is a property that can be copied with the others, and is asked for when it
 * is read. All contexts share one getter: V8 makes a hidden class for each, and that of a getter of one's own would hold it, and
 * with it the whole delivery, until the next full collection.
 */
class HandlerContext implements JobHandlerContext {
  static readonly #signal: PropertyDescriptor & ThisType<HandlerContext> = {
    enumerable: true,
    get() {
      return this.#see();
    },
  };

  readonly delivery: JobDelivery;
  declare readonly signal: AbortSignal;
  readonly #see: () => AbortSignal;

  constructor(delivery: JobDelivery, see: () => AbortSignal) {
    this.delivery = delivery;
    this.#see = see;
    Object.defineProperty(this, "signal", HandlerContext.#signal);
  }
}

/** A job that somebody has cancelled; with an error, after its handler had begun. */
export function cancelled(error: JobError | undefined): Ending {
  return { settlement: { type: "cancelled" }, outcome: "cancelled", error };
}

function deadLettered(error: JobError, outcome: "dead-lettered" | "lost"): Ending {
  return { settlement: { type: "dead-lettered", error: storableMessage(error) }, outcome, error };
}
