import type { ObservedJobContext } from "@nidus/jobs-observe";
import { monotonicMsOf } from "@nidus/jobs-observe/adapter";

/** How many running runs are kept. Further runs are counted. */
const maxRunning = 10_000;

/**
 * Keeps the unfinished runs, each with its span. Most jobs run one at a time, and a Map costs more than all the counting together, so
 * the first run has a place of its own.
 */
export class RunningRuns {
  #first: ObservedJobContext | undefined;
  #firstSpan: unknown;
  readonly #others: Map<ObservedJobContext, unknown> = new Map();
  /** How many runs are not kept. */
  beyondLimit = 0;

  get size(): number {
    return this.#others.size + (this.#first === undefined ? 0 : 1);
  }

  add(started: ObservedJobContext, span: unknown): void {
    if (this.#first === undefined) {
      this.#first = started;
      this.#firstSpan = span;
    } else if (this.#others.size < maxRunning) this.#others.set(started, span);
    else this.beyondLimit++;
  }

  /** Forgets a run, and returns its span. */
  delete(started: ObservedJobContext): unknown {
    if (started === this.#first) {
      const span = this.#firstSpan;
      this.#first = undefined;
      this.#firstSpan = undefined;
      return span;
    }
    const span = this.#others.get(started);
    if (!this.#others.delete(started) && this.beyondLimit > 0) this.beyondLimit--;
    return span;
  }

  has(started: ObservedJobContext): boolean {
    return started === this.#first || this.#others.has(started);
  }

  /** The kept runs, oldest first. */
  entries(): (readonly [context: ObservedJobContext, span: unknown])[] {
    const others = [...this.#others];
    if (this.#first === undefined) return others;
    return [[this.#first, this.#firstSpan] as const, ...others].sort(
      ([a], [b]) => monotonicMsOf(a) - monotonicMsOf(b),
    );
  }
}
