import { tracingChannel } from "node:diagnostics_channel";
import type { JobError } from "@nidus/jobs-core";
import { type ObservedJobContext, startedContext } from "../context/context.ts";
import type { JobObserver, JobResultStatus } from "../observer/observer.ts";

/** What is published of one run: on each of its channels the same object, which knows more once the run has finished. */
export interface JobRunMessage {
  /** As the run started. */
  readonly context: ObservedJobContext;
  /** As it has finished, with its duration. */
  readonly finished?: ObservedJobContext;
  /** How it ended. */
  readonly status?: JobResultStatus;
  /** There unless the run succeeded. Its `cause` is what the job threw, where that was no JobError itself. */
  readonly error?: JobError;
}

/** A run that is published and has not finished. */
interface PublishedRun {
  readonly message: { -readonly [Field in keyof JobRunMessage]: JobRunMessage[Field] };
  /** Whether the call that ran the job has returned: a run that finishes later is an async one. */
  hasReturned: boolean;
}

/**
 * Publishes runs to `tracingChannel("nidus:job.run")` of `node:diagnostics_channel`, each on its channels in Node's own order:
 * `start`, `error`, `end` where the job is synchronous; `start`, `end`, `error`, `asyncStart`, `asyncEnd` where it may wait, and
 * then its promise settles. `error` is left out where the run succeeded. A store that is bound to `start` holds during the
 * run, also across awaits.
 *
 * A run that started while none of the channels had a subscriber is not published, whoever subscribes meanwhile. What a
 * subscriber throws does not reach the run: Node raises it as an uncaught exception, on the next tick.
 */
export function diagnosticsChannelObserver(): JobObserver {
  return new DiagnosticsChannelObserver();
}

/** A class, since a getter of an object literal takes V8 as long as the rest of what is asked without subscribers. */
class DiagnosticsChannelObserver implements JobObserver {
  readonly #channel = tracingChannel<unknown, JobRunMessage>("nidus:job.run");
  readonly #unfinished = new Map<ObservedJobContext, PublishedRun>();

  /** Without subscribers there is no scope to enter. */
  get runInScope(): JobObserver["runInScope"] {
    return this.#channel.hasSubscribers ? this.#publishAround : undefined;
  }

  /** Not `traceSync` and `tracePromise`: a scope cannot tell which of them the run needs. */
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
   * Tells the end of an async run too, and without its result: a callback on the promise, which would be given the result, would
   * also make a rejection that nobody handles look like one that is handled.
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
