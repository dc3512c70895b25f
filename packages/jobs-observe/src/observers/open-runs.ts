import { type ObservedJobContext, startedContext } from "../context/context.ts";

/**
 * Keeps what an observer needs of each unfinished run, such as its span.
 *
 * A Map keyed by objects costs as much as all the counting of a run. Most jobs run one at a time, so the first run has a
 * place of its own. Of the runs beside it, {@link maxListed} are in arrays that are searched, and only the rest in a Map.
 */
export class OpenRuns<Value> {
  #first: ObservedJobContext | undefined;
  #firstValue: Value | undefined;
  readonly #listed: ObservedJobContext[] = [];
  /** By the position of the run in `#listed`. */
  readonly #listedValues: Value[] = [];
  readonly #others: Map<ObservedJobContext, Value> = new Map();

  /** Keeps the value of a run that starts. */
  add(started: ObservedJobContext, value: Value): void {
    if (this.#first !== undefined) {
      this.#addBeside(started, value);
      return;
    }
    this.#first = started;
    this.#firstValue = value;
  }

  /** Removes and returns the value of a run. Returns undefined if the run has none. */
  take(context: ObservedJobContext): Value | undefined {
    const started = startedContext(context);
    if (started !== this.#first) return this.#takeBeside(started);
    const value = this.#firstValue;
    this.#first = this.#firstValue = undefined;
    return value;
  }

  #addBeside(started: ObservedJobContext, value: Value): void {
    if (this.#listed.length === maxListed) {
      this.#others.set(started, value);
      return;
    }
    this.#listed.push(started);
    this.#listedValues.push(value);
  }

  #takeBeside(started: ObservedJobContext): Value | undefined {
    const position = this.#listed.indexOf(started);
    if (position === -1) {
      if (this.#others.size === 0) return undefined;
      const value = this.#others.get(started);
      this.#others.delete(started);
      return value;
    }
    const value = this.#listedValues[position];
    // The last one takes the free place.
    const last = this.#listed.pop() as ObservedJobContext;
    const lastValue = this.#listedValues.pop() as Value;
    if (last !== started) {
      this.#listed[position] = last;
      this.#listedValues[position] = lastValue;
    }
    return value;
  }

  /** The unfinished runs with their values. */
  get entries(): readonly (readonly [ObservedJobContext, Value])[] {
    const listed = this.#listed.map((run, index) => [run, this.#listedValues[index] as Value] as const);
    const first = this.#first === undefined ? [] : [[this.#first, this.#firstValue as Value] as const];
    return [...first, ...listed, ...this.#others];
  }
}

/** How many runs are searched. A search of more would take longer than the Map. */
const maxListed = 16;
