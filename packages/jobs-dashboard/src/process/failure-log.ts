import type { JobError } from "@nidus/jobs-core";
import type { ObservedJobData } from "@nidus/jobs-observe";
import type { ErrorText } from "../wire.ts";
import { errorTextOf, normalisedMessage, topFrame } from "./error-text.ts";
import type { JobActivity } from "./job-activity.ts";

/** How many failures are kept, and how many wait to be read at most. */
export const keptFailures = 1_000;

/** The longest error in an overview, in characters. */
const maxLastError = 300;

/** How often errors are read, and for how long each time, in milliseconds. Reading a stack costs more than a run does. */
const readEveryMs = 100;
const readForMs = 5;

/** How many errors are read each time, however busy the machine is. */
const leastRead = 20;

interface FailedRun {
  readonly activity: JobActivity;
  /** As `keptRun` returned it. */
  readonly context: ObservedJobData;
  readonly traceId: string | undefined;
}

/** A failed run, with its error as text. */
export interface FailureRecord extends FailedRun {
  readonly error: ErrorText;
  readonly message: string;
  readonly frame: string | null;
}

interface UnreadFailure extends FailedRun {
  readonly error: JobError;
}

/**
 * Keeps the latest failures as text. A run only hands its error over. The text is made a moment later and in small
 * portions, because an error may hold a whole response and must not be kept.
 */
export class FailureLog {
  /** Oldest first, by what is kept of the run. */
  readonly #records = new Map<ObservedJobData, FailureRecord>();
  readonly #unread: UnreadFailure[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Failures that came faster than they were read. */
  dropped = 0;

  add(activity: JobActivity, context: ObservedJobData, traceId: string | undefined, error: JobError): void {
    if (this.#unread.length >= keptFailures) {
      this.dropped++;
      return;
    }
    this.#unread.push({ activity, context, traceId, error });
    if (this.#timer === undefined) this.#wake();
  }

  #wake(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#read();
      if (this.#unread.length > 0) this.#wake();
    }, readEveryMs);
    this.#timer.unref?.();
  }

  #read(): void {
    const until = performance.now() + readForMs;
    let count = 0;
    for (const failure of this.#unread) {
      count++;
      this.#keep(failure);
      if (count >= leastRead && performance.now() > until) break;
    }
    this.#unread.splice(0, count);
  }

  #keep(failure: UnreadFailure): void {
    const record = recordOf(failure);
    record.activity.lastError = record.error.message.slice(0, maxLastError);
    this.#records.set(record.context, record);
    const [oldest] = this.#records.keys();
    if (this.#records.size > keptFailures) this.#records.delete(oldest as ObservedJobData);
  }

  /** Reads some, for a few milliseconds, and returns the kept failures, oldest first. The rest follows at the next call. */
  records(): Iterable<FailureRecord> {
    this.#read();
    return this.#records.values();
  }

  /** Finds the failure of a kept run. If it waits to be read, its text is made now, and it waits on. */
  of(context: ObservedJobData): FailureRecord | undefined {
    const known = this.#records.get(context);
    if (known !== undefined) return known;
    const unread = this.#unread.find((failure) => failure.context === context);
    return unread && recordOf(unread);
  }
}

function recordOf({ error, ...run }: UnreadFailure): FailureRecord {
  const text = errorTextOf(error);
  return { ...run, error: text, message: normalisedMessage(text.message), frame: topFrame(text.stack) };
}
