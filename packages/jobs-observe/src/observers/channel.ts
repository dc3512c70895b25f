import type { JobError } from "@nidus/jobs-core";
import { Fifo, invalidArgument, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { ObservedJobContext, ObservedJobData } from "../context/context.ts";
import type { JobObserver, JobResultStatus } from "../observer/observer.ts";

/** The start or finish of a run, with its context. */
export type ObservedJobEvent =
  | { readonly type: "started"; readonly context: ObservedJobContext }
  | {
      readonly type: "finished";
      readonly context: ObservedJobContext;
      readonly status: JobResultStatus;
      readonly error?: JobError;
    };

/** The start or finish of a run as plain data. It survives spread, `structuredClone` and `postMessage`. */
export type PlainJobEvent =
  | { readonly type: "started"; readonly context: ObservedJobData }
  | {
      readonly type: "finished";
      readonly context: ObservedJobData;
      readonly status: JobResultStatus;
      readonly error?: ReturnType<JobError["toJSON"]>;
    };

type AnyEvent = ObservedJobEvent | PlainJobEvent;

/** How a channel is bounded, and what its events hold. */
export interface JobObserverChannelOptions {
  /** How many unread events the channel keeps: a whole number from 1. @default 65536 */
  readonly capacity?: number | undefined;
  /** Which event is dropped when one more arrives. @default "drop-oldest" */
  readonly overflow?: "drop-oldest" | "drop-newest" | undefined;
  /**
   * `true` makes events plain data that you can send to another thread or process. It makes the run id and the time of
   * day of every run. @default false
   */
  readonly plain?: false | undefined;
}

/**
 * The reading end of a channel. `for await` waits for events; after a `break`, the next reader gets the rest. Several
 * readers share the events: each event goes to one of them.
 *
 * The iterator is an async generator: a `return` that arrives while its `next` waits takes effect after that event.
 */
export interface JobEventReceiver<Event = ObservedJobEvent> extends AsyncIterable<Event> {
  /**
   * Returns the events that are there now, oldest first, without waiting. Events that arrive meanwhile are for the next
   * call. Reading an event takes it out of the channel.
   */
  tryIter(): IterableIterator<Event>;
  /** How many events wait to be read. */
  readonly size: number;
  /** How many events were dropped because the channel was full. */
  readonly dropped: number;
  /** Accepts no further events, and ends `for await` once the buffered events are read. You may call it again. */
  close(): void;
}

/**
 * Makes an observer that only buffers events, and the receiver that slower work reads them from: exports, files, other
 * processes. `capacity` bounds its memory. A closed channel costs nothing.
 *
 * @throws TypeError or RangeError for an invalid option.
 */
export function jobObserverChannel(
  options: Omit<JobObserverChannelOptions, "plain"> & { readonly plain: true },
): [observer: JobObserver, receiver: JobEventReceiver<PlainJobEvent>];
/** Makes a channel whose events hold the contexts and errors themselves. */
export function jobObserverChannel(
  options?: JobObserverChannelOptions,
): [observer: JobObserver, receiver: JobEventReceiver];
export function jobObserverChannel(
  options: Omit<JobObserverChannelOptions, "plain"> & { readonly plain?: boolean | undefined } = {},
): [observer: JobObserver, receiver: JobEventReceiver<never>] {
  requireKnownKeys("the options", options, ["capacity", "overflow", "plain"]);
  const { capacity = 65_536, overflow = "drop-oldest", plain = false } = options;
  requireWholeNumber("`capacity`", capacity);
  if (overflow !== "drop-oldest" && overflow !== "drop-newest") {
    throw invalidArgument("`overflow`", '"drop-oldest" or "drop-newest"', overflow);
  }
  if (typeof plain !== "boolean") throw invalidArgument("`plain`", "a boolean", plain);
  const events = new Fifo<AnyEvent>();
  let dropped = 0;
  let isClosed = false;
  let waiting: (() => void)[] = [];

  const wakeReaders = (): void => {
    for (const wake of waiting) wake();
    waiting = [];
  };

  const add = (event: AnyEvent): void => {
    if (events.size === capacity) {
      dropped++;
      if (overflow === "drop-newest") return;
      events.take();
    }
    events.push(event);
    if (waiting.length > 0) wakeReaders();
  };

  const dataOf = (value: { toJSON(): object }) => (plain ? value.toJSON() : value) as never;

  const observer: JobObserver = {
    onJobStarted(context) {
      if (!isClosed) add({ type: "started", context: dataOf(context) });
    },
    onJobFinished(context, status, error) {
      if (isClosed) return;
      add({ type: "finished", context: dataOf(context), status, ...(error && { error: dataOf(error) }) });
    },
  };

  const receiver: JobEventReceiver<never> = {
    get size() {
      return events.size;
    },
    get dropped() {
      return dropped;
    },
    *tryIter() {
      for (let left = events.size; left-- > 0 && events.size > 0; ) yield events.take() as never;
    },
    close() {
      isClosed = true;
      wakeReaders();
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        while (events.size > 0) yield events.take() as never;
        if (isClosed) return;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
  return [observer, receiver];
}
