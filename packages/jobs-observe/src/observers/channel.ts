import type { JobError } from "@nidus/jobs-core";
import { invalidArgument, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { ObservedJobContext, ObservedJobData } from "../context/context.ts";
import type { JobObserver, JobResultStatus } from "../observer/observer.ts";

/** A run's start or finish, as data. */
export type ObservedJobEvent =
  | { readonly type: "started"; readonly context: ObservedJobContext }
  | {
      readonly type: "finished";
      readonly context: ObservedJobContext;
      readonly status: JobResultStatus;
      readonly error?: JobError;
    };

/** A run's start or finish, as data that survive a copy: spread, `structuredClone` and `postMessage`. */
export type PlainJobEvent =
  | { readonly type: "started"; readonly context: ObservedJobData }
  | {
      readonly type: "finished";
      readonly context: ObservedJobData;
      readonly status: JobResultStatus;
      readonly error?: ReturnType<JobError["toJSON"]>;
    };

type AnyEvent = ObservedJobEvent | PlainJobEvent;

/** How a channel is bounded, and what it holds. */
export interface JobObserverChannelOptions {
  /** How many unread events are kept: a whole number from 1. @default 65536 */
  readonly capacity?: number | undefined;
  /** Which event is lost when one more arrives. @default "drop-oldest" */
  readonly overflow?: "drop-oldest" | "drop-newest" | undefined;
  /**
   * `true` makes events plain data, to be sent to another thread or process. That reads the run id and the time of day of every
   * run. @default false
   */
  readonly plain?: false | undefined;
}

/**
 * The reading end of a channel. `for await` waits for events; breaking off leaves the rest to the next reader. (An iterator
 * that is told to `return` while its `next` waits does so when that has got its event: it is an async generator.)
 * Several readers share the events: each goes to one of them.
 */
export interface JobEventReceiver<Event = ObservedJobEvent> extends AsyncIterable<Event> {
  /** What is there now, oldest first, without waiting; what arrives meanwhile is for the next call. Events are taken out as they are read. */
  tryIter(): IterableIterator<Event>;
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
  options: Omit<JobObserverChannelOptions, "plain"> & { readonly plain: true },
): [observer: JobObserver, receiver: JobEventReceiver<PlainJobEvent>];
/** A channel whose events have the contexts and errors themselves. */
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
  /** Grows up to `capacity`, and only as far as readers fall behind. */
  const ring: (AnyEvent | undefined)[] = [];
  let head = 0;
  let size = 0;
  let dropped = 0;
  let isClosed = false;
  const waiting: (() => void)[] = [];

  const take = (): never => {
    const event = ring[head] as never;
    ring[head] = undefined;
    // An empty ring starts over, so that a reader who keeps up never makes it grow.
    head = --size === 0 ? 0 : (head + 1) % capacity;
    return event;
  };

  const wakeReaders = (): void => {
    for (const wake of waiting.splice(0)) wake();
  };

  const add = (event: AnyEvent): void => {
    if (size === capacity) {
      dropped++;
      if (overflow === "drop-newest") return;
      take();
    }
    ring[(head + size++) % capacity] = event;
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
      return size;
    },
    get dropped() {
      return dropped;
    },
    *tryIter() {
      for (let left = size; left > 0 && size > 0; left--) yield take();
    },
    close() {
      isClosed = true;
      wakeReaders();
    },
    async *[Symbol.asyncIterator]() {
      while (true) {
        while (size > 0) yield take();
        if (isClosed) return;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
  return [observer, receiver];
}
