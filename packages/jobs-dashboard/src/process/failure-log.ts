import type { JobError } from "@nidus/jobs-core";
import type { ObservedJobContext } from "@nidus/jobs-observe";
import { startedContext } from "@nidus/jobs-observe/adapter";
import type { ErrorText } from "../wire.ts";
import { errorTextOf, normalisedMessage, topFrame } from "./error-text.ts";
import type { JobActivity } from "./job-activity.ts";

/** How many failures are kept, and how many wait to be read at most. */
export const keptFailures = 1_000;

/** The longest error in an overview, in characters. */
const maxLastError = 300;

/** How often and for how long errors are read, in milliseconds. Reading a stack costs more than a run does. */
const readEveryMs = 100;
const readForMs = 5;

/** A failed run, with its error as text. */
export interface FailureRecord {
  readonly activity: JobActivity;
  readonly context: ObservedJobContext;
  readonly span: unknown;
  readonly error: ErrorText;
  readonly message: string;
  readonly frame: string | null;
}

interface UnreadFailure {
  readonly activity: JobActivity;
  readonly context: ObservedJobContext;
  readonly span: unknown;
  readonly error: JobError;
}

/**
 * Keeps the latest failures as text. A run only hands its error over. The text is made a moment later and in small
 * portions, because an error may hold a whole response and must not be kept.
 */
export class FailureLog {
  /** Oldest first, by the context of the run's start. */
  readonly #records = new Map<ObservedJobContext, FailureRecord>();
  readonly #unread: UnreadFailure[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Failures that came faster than they were read. */
  dropped = 0;

  add(activity: JobActivity, context: ObservedJobContext, span: unknown, error: JobError): void {
    if (this.#unread.length >= keptFailures) {
      this.dropped++;
      return;
    }
    this.#unread.push({ activity, context, span, error });
    if (this.#timer === undefined) this.#wake();
  }

  #wake(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#read(readForMs);
      if (this.#unread.length > 0) this.#wake();
    }, readEveryMs);
    this.#timer.unref?.();
  }

  #read(forMs: number): void {
    const until = performance.now() + forMs;
    let count = 0;
    for (const { activity, context, span, error } of this.#unread) {
      count++;
      const text = errorTextOf(error);
      const record: FailureRecord = {
        activity,
        context,
        span,
        error: text,
        message: normalisedMessage(text.message),
        frame: topFrame(text.stack),
      };
      activity.lastError = text.message.slice(0, maxLastError);
      this.#keep(record);
      if (performance.now() > until) break;
    }
    this.#unread.splice(0, count);
  }

  #keep(record: FailureRecord): void {
    this.#records.set(startedContext(record.context), record);
    if (this.#records.size <= keptFailures) return;
    const [oldest] = this.#records.keys();
    this.#records.delete(oldest as ObservedJobContext);
  }

  /** Returns the kept failures, oldest first, including those that have just come. */
  records(): Iterable<FailureRecord> {
    this.#read(Infinity);
    return this.#records.values();
  }

  /** Finds the failure of a run. */
  of(context: ObservedJobContext): FailureRecord | undefined {
    this.#read(Infinity);
    return this.#records.get(startedContext(context));
  }
}
