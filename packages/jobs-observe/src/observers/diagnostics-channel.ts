import { tracingChannel } from "node:diagnostics_channel";
import type { JobError } from "@nidus/jobs-core";
import { type ObservedJobContext, startedContext } from "../context/context.ts";
import type { JobObserver, JobResultStatus } from "../observer/observer.ts";

/** The message of one run. All channels get the same object, which is completed when the run has finished. */
export interface JobRunMessage {
  /** The run as it started. */
  readonly context: ObservedJobContext;
  /** The run as it finished, with its duration. */
  readonly finished?: ObservedJobContext;
  /** How the run ended. */
  readonly status?: JobResultStatus;
  /** Set unless the run succeeded. Its `cause` is what the job threw, unless the job threw a JobError. */
  readonly error?: JobError;
}

/** A run that is published and has not finished. */
interface PublishedRun {
  readonly message: { -readonly [Field in keyof JobRunMessage]: JobRunMessage[Field] };
  /** Whether the call that ran the job has returned. A run that finishes later is an async one. */
  hasReturned: boolean;
}

/**
 * Publishes runs to `tracingChannel("nidus:job.run")` of `node:diagnostics_channel`, in the order that Node uses.
 * - A synchronous run: `start`, `error`, `end`.
 * - An async run: `start`, `end`, `error`, `asyncStart`, `asyncEnd`; then its promise settles.
 * `error` is left out if the run succeeded. A store that is bound to `start` holds during the run, also across awaits.
 *
 * A run is published only if one of the channels had a subscriber when it started. An error that a subscriber throws
 * does not reach the run: Node raises it as an uncaught exception on the next tick.
 */
export function diagnosticsChannelObserver(): JobObserver {
  return new DiagnosticsChannelObserver();
}

/** A class, since V8 needs as long for a getter of an object literal as for the rest of a run without subscribers. */
class DiagnosticsChannelObserver implements JobObserver {
  readonly #channel = tracingChannel<unknown, JobRunMessage>("nidus:job.run");
  readonly #unfinished = new Map<ObservedJobContext, PublishedRun>();

  /** Undefined without subscribers: no scope to enter. */
  get runInScope(): JobObserver["runInScope"] {
    return this.#channel.hasSubscribers ? this.#publishAround : undefined;
  }

  /** Does not use `traceSync` or `tracePromise`: a scope cannot tell which of them the run needs. */
  readonly #publishAround = <T>(context: ObservedJobContext, run: () => T): T => {
    const published: PublishedRun = { message: { context }, hasReturned: false };
    this.#unfinished.set(context, published);
    return this.#channel.start.runStores(published.message, () => {
      try {
        return run();
      } finally {
        published.hasReturned = true;
        this.#channel.end.publish(published.message);
      }
    });
  };

  /**
   * Publishes the end of async runs too, without their results. Only a callback on the promise would get the result,
   * and it would make an unhandled rejection look handled.
   */
  onJobFinished(context: ObservedJobContext, status: JobResultStatus, error?: JobError): void {
    if (this.#unfinished.size === 0) return;
    const started = startedContext(context);
    const published = this.#unfinished.get(started);
    if (published === undefined) return;
    this.#unfinished.delete(started);
    const { message, hasReturned } = published;
    message.finished = context;
    message.status = status;
    if (error) {
      message.error = error;
      this.#channel.error.publish(message);
    }
    if (!hasReturned) return;
    this.#channel.asyncStart.publish(message);
    this.#channel.asyncEnd.publish(message);
  }
}
