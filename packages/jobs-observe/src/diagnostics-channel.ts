import { tracingChannel } from "node:diagnostics_channel";
import type { JobError } from "@nidus/jobs-core";
import { type ObservedJobContext, startedContext } from "./context.ts";
import type { JobObserver, JobResultStatus } from "./observer.ts";

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
  const channel = tracingChannel<unknown, JobRunMessage>("nidus:job.run");
  const unfinished = new Map<ObservedJobContext, PublishedRun>();

  return {
    // Without subscribers a run costs the entry into a scope, which a bound store cannot do without, one question here and
    // one in the other hook. Not `traceSync` and `tracePromise`: a scope cannot tell which of them the run needs.
    runInScope(context, run) {
      if (!channel.hasSubscribers) return run();
      const published: PublishedRun = { message: { context }, hasReturned: false };
      unfinished.set(context, published);
      return channel.start.runStores(published.message, () => {
        try {
          return run();
        } finally {
          published.hasReturned = true;
          channel.end.publish(published.message);
        }
      });
    },

    // The end of an async run is told from here, and without its result: a callback on the promise, which would be given the
    // result, would also make a rejection that nobody handles look like one that is handled.
    onJobFinished(context, status, error) {
      if (unfinished.size === 0) return;
      const started = startedContext(context);
      const published = unfinished.get(started);
      if (published === undefined) return;
      unfinished.delete(started);
      const { message, hasReturned } = published;
      message.finished = context;
      message.status = status;
      if (error) {
        message.error = error;
        channel.error.publish(message);
      }
      if (!hasReturned) return;
      channel.asyncStart.publish(message);
      channel.asyncEnd.publish(message);
    },
  };
}
