import type { ObservedJobContext } from "@nidus/jobs-observe";
import { monotonicMsOf } from "@nidus/jobs-observe/adapter";

/** How many running runs are kept. Further runs are counted. */
const maxRunning = 10_000;

/**
 * Keeps the unfinished runs, each with its trace id. Most jobs run one at a time, and a Map costs more than all the counting together, so
 * the first run has a place of its own.
 */
export class RunningRuns {
  #first: ObservedJobContext | undefined;
  #firstTraceId: string | undefined;
  readonly #others: Map<ObservedJobContext, string | undefined> = new Map();
  /** How many runs are not kept. */
  beyondLimit = 0;

  get size(): number {
    return this.#others.size + (this.#first === undefined ? 0 : 1);
  }

  add(started: ObservedJobContext, traceId: string | undefined): void {
    if (this.#first === undefined) {
      this.#first = started;
      this.#firstTraceId = traceId;
    } else if (this.#others.size < maxRunning) this.#others.set(started, traceId);
    else this.beyondLimit++;
  }

  /** Forgets a run, and returns its trace id. */
  delete(started: ObservedJobContext): string | undefined {
    if (started === this.#first) {
      const traceId = this.#firstTraceId;
      this.#first = undefined;
      this.#firstTraceId = undefined;
      return traceId;
    }
    const traceId = this.#others.get(started);
    if (!this.#others.delete(started) && this.beyondLimit > 0) this.beyondLimit--;
    return traceId;
  }

  has(started: ObservedJobContext): boolean {
    return started === this.#first || this.#others.has(started);
  }

  /** The kept runs, oldest first. */
  entries(): (readonly [context: ObservedJobContext, traceId: string | undefined])[] {
    const others = [...this.#others];
    if (this.#first === undefined) return others;
    return [[this.#first, this.#firstTraceId] as const, ...others].sort(
      ([a], [b]) => monotonicMsOf(a) - monotonicMsOf(b),
    );
  }
}
