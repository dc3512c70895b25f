import { type ObservedJobContext, startedContext } from "@nidus/jobs-observe";

/**
 * The unfinished runs of a job. Most jobs run one at a time, and a Set costs more than all the counting together,
 * so the first run has a place of its own and only those beside it are in the Set.
 */
export class RunningContexts {
  #first: ObservedJobContext | undefined;
  /** In the order in which they started. */
  readonly #others: Set<ObservedJobContext> = new Set();

  add(started: ObservedJobContext): void {
    if (this.#first === undefined) this.#first = started;
    else this.#others.add(started);
  }

  delete(context: ObservedJobContext): void {
    const started = startedContext(context);
    if (this.#first === started) this.#first = undefined;
    else this.#others.delete(started);
  }

  /** Unix time in milliseconds at which the longest running of them started. */
  get oldestStartMs(): number | undefined {
    const [other] = this.#others;
    if (this.#first === undefined) return other?.startedAtMs;
    return other === undefined
      ? this.#first.startedAtMs
      : Math.min(this.#first.startedAtMs, other.startedAtMs);
  }
}
