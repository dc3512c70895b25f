import { describe, type JobError } from "@nidus/jobs-core";
import type { ObservedJobContext } from "./context.ts";
import { EventBuffer } from "./event-buffer.ts";
import type { JobObserver, JobResultStatus } from "./observer.ts";

/** A run's start or finish, as data. */
export type ObservedJobEvent =
  | { readonly type: "started"; readonly context: ObservedJobContext }
  | {
      readonly type: "finished";
      readonly context: ObservedJobContext;
      readonly status: JobResultStatus;
      readonly error?: JobError;
    };

/** How a channel is bounded. */
export interface JobObserverChannelOptions {
  /** How many unread events are kept: a whole number from 1. @default 65536 */
  readonly capacity?: number | undefined;
  /** Which event is lost when one more arrives. @default "drop-oldest" */
  readonly overflow?: "drop-oldest" | "drop-newest" | undefined;
}

/**
 * The reading end of a channel. `for await` waits for events; breaking off leaves the rest to the next reader.
 * Several readers share the events: each goes to one of them.
 */
export interface JobEventReceiver extends AsyncIterable<ObservedJobEvent> {
  /** What is there now, oldest first, without waiting. Events are taken out as they are read. */
  tryIter(): IterableIterator<ObservedJobEvent>;
  /** How many events are waiting to be read. */
  readonly size: number;
  /** How many events were lost because the channel was full. */
  readonly dropped: number;
  /** Takes no further events, and ends `for await` once what is buffered was read. May be repeated. */
  close(): void;
}

/**
 * An observer that only notes what happened, and the receiver where slower work picks it up: exports, files, other
 * processes. Memory is bounded by `capacity`; a closed channel costs nothing.
 *
 * @throws TypeError or RangeError for an option that is not as documented.
 */
export function jobObserverChannel(
  options: JobObserverChannelOptions = {},
): [observer: JobObserver, receiver: JobEventReceiver] {
  const { capacity = 65_536, overflow = "drop-oldest" } = options;
  if (typeof capacity !== "number") {
    throw new TypeError(`expected \`capacity\` to be a whole number from 1, got ${describe(capacity)}`);
  }
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`expected \`capacity\` to be a whole number from 1, got ${capacity}`);
  }
  if (overflow !== "drop-oldest" && overflow !== "drop-newest") {
    throw new TypeError(
      `expected \`overflow\` to be "drop-oldest" or "drop-newest", got ${describe(overflow)}`,
    );
  }
  const buffer = new EventBuffer<ObservedJobEvent>(capacity, overflow === "drop-oldest");
  const observer: JobObserver = {
    onJobStarted(context) {
      if (!buffer.isClosed) buffer.add({ type: "started", context });
    },
    onJobFinished(context, status, error) {
      if (buffer.isClosed) return;
      buffer.add(
        error === undefined
          ? { type: "finished", context, status }
          : { type: "finished", context, status, error },
      );
    },
  };
  return [observer, buffer];
}
