import type { JobObserver, ObservedJobContext } from "@nidus/jobs-observe";
import { startedContext } from "@nidus/jobs-observe/adapter";
import type { CreateObserver } from "../../src/contracts.ts";
import { recordingObserver } from "../../src/index.ts";

/** Hides from the caller what a job throws. */
export const swallowing: CreateObserver = () => ({
  runInScope(_context, run) {
    try {
      return run();
    } catch {
      return undefined as ReturnType<typeof run>;
    }
  },
});

/** Has async hooks, which must be synchronous. */
export const wrappingResults: CreateObserver = () => ({
  runInScope: (async (_context: unknown, run: () => unknown) => run()) as unknown as NonNullable<
    JobObserver["runInScope"]
  >,
});

/** Tries once more what failed. */
export const retrying: CreateObserver = () => ({
  runInScope(_context, run) {
    try {
      return run();
    } catch {
      return run();
    }
  },
});

/** Runs the job when it suits it. */
export const postponing: CreateObserver = () => ({
  runInScope(_context, run) {
    queueMicrotask(() => {
      try {
        run();
      } catch {
        // No runner waits for it.
      }
    });
    return undefined as ReturnType<typeof run>;
  },
});

/** Keeps personal data out of its own output, and out of everybody else's. */
export const redacting: CreateObserver = () => ({
  onJobFinished(_context, _status, error) {
    try {
      if (error?.cause instanceof RangeError) error.cause.message = "[redacted]";
    } catch {
      // Values that cannot be read are not redacted.
    }
  },
});

/** Sends its data while no caller waits. */
export const waiting: CreateObserver = () => ({
  async onJobFinished() {
    await undefined;
  },
});

/** Fails in a promise that no caller handles. */
export const rejecting: CreateObserver = () => ({
  onJobStarted: () => Promise.reject(new Error("not connected")) as unknown as undefined,
});

/** Knows one run at a time. */
export const oneAtATime: CreateObserver = () => {
  let current: ObservedJobContext | undefined;
  return {
    onJobStarted(context) {
      if (current !== undefined) throw new Error("there is a run already");
      current = context;
    },
    onJobFinished() {
      current = undefined;
    },
  };
};

/** Knows one run of a name at a time. */
export const keyedByName: CreateObserver = () => {
  const running = new Map<string, ObservedJobContext>();
  return {
    onJobStarted: (context) => void running.set(context.jobName, context),
    onJobFinished({ jobName }) {
      if (!running.delete(jobName)) throw new Error(`${jobName} does not run`);
    },
  };
};

/** Expects that what started last finishes first. */
export const stacking: CreateObserver = () => {
  const running: ObservedJobContext[] = [];
  return {
    onJobStarted: (context) => void running.push(context),
    onJobFinished(context) {
      if (running.pop() !== startedContext(context)) throw new Error("another run is on top");
    },
  };
};

let isConnected = false;

/** Shares a connection with all of its kind, and closes it. */
export const sharingAConnection: CreateObserver = () => {
  isConnected = true;
  let isOver = false;
  return {
    observer: {
      onJobStarted() {
        if (!isOver && !isConnected) throw new Error("not connected");
      },
    },
    shutdown() {
      isOver = true;
      isConnected = false;
    },
  };
};

/** Keeps a count for each name there ever was. */
export const keepingNames: CreateObserver = () => {
  const counts = new Map<string, number>();
  return { onJobStarted: ({ jobName }) => void counts.set(jobName, (counts.get(jobName) ?? 0) + 1) };
};

/** Keeps what went wrong. */
export const keepingFailures: CreateObserver = () => {
  const failures: unknown[] = [];
  return {
    onJobFinished(_context, _status, error) {
      if (error !== undefined) failures.push(error);
    },
  };
};

/** Keeps every run, and says so. */
export const keepingEverything: CreateObserver = recordingObserver;

/** Takes names for words. */
export const fearingNames: CreateObserver = () => ({
  onJobStarted({ jobName }) {
    if (/[^\w ]/.test(jobName)) throw new Error(`${jobName} is no name for a metric`);
  },
});

/** Counts in an object that has more keys than it looks. */
export const countingInAnObject: CreateObserver = () => {
  const counts: Record<string, { started?: number }> = {};
  return {
    onJobStarted({ jobName }) {
      const count = jobName in counts ? counts[jobName] : undefined;
      if (typeof count === "object" || typeof count === "function") count.started = 1;
      // Few names are known, so it stays small.
      else if (Object.keys(counts).length < 10) counts[jobName] = { started: 1 };
    },
  };
};

/** Escapes attributes by a function that throws at half of a surrogate pair. */
export const escapingAttributes: CreateObserver = () => ({
  onJobStarted({ attributes }) {
    for (const [key, value] of Object.entries(attributes)) encodeURIComponent(`${key}=${value}`);
  },
});

/** Trusts that jobs throw errors. */
export const trustingErrors: CreateObserver = () => ({
  onJobFinished(_context, _status, error) {
    if (error !== undefined) `${(error.cause as Error).message}`.trim();
  },
});

/** Knows two ways to end. */
export const fearingCancellation: CreateObserver = () => ({
  onJobFinished(_context, status) {
    if (status === "cancelled") throw new Error(`${status} is no status`);
  },
});

/** Takes a timeout for impossible. */
export const fearingTimeouts: CreateObserver = () => ({
  onJobFinished(_context, _status, error) {
    if (error?.cause instanceof DOMException && error.cause.name === "TimeoutError") throw error;
  },
});

/** Writes a number as a header, which must be a string. */
export const numberingCarriers: CreateObserver = () => ({
  onJobEnqueued({ carrier, count }) {
    (carrier as Record<string, unknown>)["x-count"] = count;
  },
});

/** Removes the headers of others. */
export const clearingCarriers: CreateObserver = () => ({
  onJobEnqueued({ carrier }) {
    for (const key of Object.keys(carrier)) delete carrier[key];
  },
});

/** Expects headers on every delivery. */
export const expectingHeaders: CreateObserver = () => ({
  onJobStarted({ delivery }) {
    if (delivery !== undefined) (delivery.carrier.traceparent as string).split("-");
  },
});

/** Expects that the process that ran a job also settles it. */
export const expectingRuns: CreateObserver = () => {
  let hasRun = false;
  return {
    onJobStarted() {
      hasRun = true;
    },
    onJobSettled({ jobName }) {
      if (!hasRun || jobName === "elsewhere") throw new Error(`${jobName} has not run`);
    },
  };
};

/** Splits notes into words, although a run may give none. */
export const splittingNotes: CreateObserver = () => ({
  onJobProgressed: (_, { note }) => void (note as string).split(" "),
});

/** Keeps objectives in a plain object. */
export const keepingObjectivesByName: CreateObserver = () => {
  const shortest: Record<string, { ms?: number }> = {};
  return {
    onJobDeclared({ jobName, objectives }) {
      shortest[jobName] ??= {};
      Object.assign(shortest[jobName], { ms: objectives?.finishWithinMs });
    },
  };
};

/** Expects objectives of every job. */
export const expectingObjectives: CreateObserver = () => ({
  onJobDeclared: ({ objectives }) => void (objectives as { finishWithinMs: number }).finishWithinMs,
});

/** Wants to know the backlog at once. */
export const askingForBacklogs: CreateObserver = () => ({
  onEngineOpened: (context) =>
    context.backlog().then((backlog) => void [...(backlog ?? [])]) as unknown as undefined,
});

/** Never comes to an end with what it has to send when it is asked again. */
export const flushingOnce: CreateObserver = () => {
  let flushes = 0;
  return { observer: {}, forceFlush: () => (flushes++ > 0 ? new Promise<void>(() => {}) : undefined) };
};

/** Cannot be ended twice. */
export const endingOnce: CreateObserver = () => {
  let isOver = false;
  return {
    observer: {},
    shutdown() {
      if (isOver) throw new Error("it is over");
      isOver = true;
    },
  };
};

/** Wants no runs once it is over. */
export const refusingAfterTheEnd: CreateObserver = () => {
  let isOver = false;
  return {
    observer: {
      onJobStarted() {
        if (isOver) throw new Error("it is over");
      },
    },
    shutdown() {
      isOver = true;
    },
  };
};

/** Gives runs the ids that it likes better. */
export const stamping: CreateObserver = () => ({
  onJobStarted(context) {
    Object.defineProperty(context, "runId", { value: "mine" });
  },
});

/** Takes its time. */
export const slow: CreateObserver = () => ({
  onJobStarted() {
    const startMs = performance.now();
    while (performance.now() - startMs < 0.02) {
      // Nothing else gets to run.
    }
  },
});
