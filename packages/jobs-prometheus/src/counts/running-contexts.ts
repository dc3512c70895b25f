import { type ObservedJobContext, startedContext } from "@nidus/jobs-observe";
import { monotonicMsOf } from "@nidus/jobs-observe/adapter";
import { LazyTime } from "./lazy-time.ts";

/**
 * Keeps the unfinished runs of a job. Most jobs run one at a time, and a Set costs more than all the counting together.
 * So of the first run only the start is kept. A run that is not in the Set is the first.
 */
export class RunningContexts {
  readonly #firstStart: LazyTime = new LazyTime();
  #hasFirst = false;
  /** In start order. */
  readonly #others: Set<ObservedJobContext> = new Set();

  add(started: ObservedJobContext): void {
    if (this.#hasFirst) {
      this.#others.add(started);
    } else {
      this.#hasFirst = true;
      this.#firstStart.set(monotonicMsOf(started));
    }
  }

  delete(context: ObservedJobContext): void {
    if (this.#others.size > 0 && this.#others.delete(startedContext(context))) return;
    this.#hasFirst = false;
  }

  /** The Unix time, in milliseconds, at which the oldest unfinished run started. */
  get oldestStartMs(): number | undefined {
    const [other] = this.#others;
    if (!this.#hasFirst) return other?.startedAtMs;
    return Math.min(this.#firstStart.unixMs, other?.startedAtMs ?? Infinity);
  }
}
