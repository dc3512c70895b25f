import { type ObservedJobContext, startedContext } from "@nidus/jobs-observe";
import type { Span } from "@opentelemetry/api";

/**
 * Keeps the spans of unfinished runs. Most jobs run one at a time, and a Map keyed by an object costs as much as a
 * tenth of a span. So the first run has a place of its own, and only the runs beside it are in the Map.
 *
 * `RunningContexts` of jobs-prometheus looks alike, but keeps no reference to the first run, only its start. Sharing
 * this class would put a comparison and two writes on the measured path of every counted run.
 */
export class SpansInFlight {
  #context: ObservedJobContext | undefined;
  #span: Span | undefined;
  readonly #others: Map<ObservedJobContext, Span> = new Map();

  add(started: ObservedJobContext, span: Span): void {
    if (this.#context !== undefined) {
      this.#others.set(started, span);
      return;
    }
    this.#context = started;
    this.#span = span;
  }

  /** Removes and returns the span of a run. Returns undefined if the run has none. */
  take(context: ObservedJobContext): Span | undefined {
    const started = startedContext(context);
    if (started === this.#context) {
      const span = this.#span;
      this.#context = this.#span = undefined;
      return span;
    }
    if (this.#others.size === 0) return undefined;
    const span = this.#others.get(started);
    this.#others.delete(started);
    return span;
  }
}
