/** A measured value with labels, kept with the bucket that it fell into. */
export interface Exemplar {
  readonly labelSet: Record<string, string>;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp: number;
}

/** A histogram as it was at one moment. */
export interface HistogramState {
  /** Counts up to each bound, cumulative; the last is the count of all. */
  readonly cumulativeCounts: readonly number[];
  readonly sumSeconds: number;
  /** By bucket. */
  readonly exemplars: readonly (Exemplar | undefined)[];
}

const noExemplars: readonly Exemplar[] = [];

/** Counts of values per bucket, in plain numbers. */
export class DurationHistogram {
  readonly #bounds: readonly number[];
  /** One count a bound, and a last one for what is above all of them. Not cumulative. */
  readonly #counts: number[];
  #exemplars: (Exemplar | undefined)[] | undefined;
  #sumSeconds = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(seconds: number): void {
    this.#sumSeconds += seconds;
    this.#counts[this.#bucketOf(seconds)]!++;
  }

  setExemplar(exemplar: Exemplar): void {
    this.#exemplars ??= [];
    this.#exemplars[this.#bucketOf(exemplar.value)] = exemplar;
  }

  /** Most jobs are short, so the search begins at the shortest. */
  #bucketOf(seconds: number): number {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    return bucket;
  }

  /** A copy of what was counted so far. */
  state(): HistogramState {
    const cumulativeCounts = this.#counts.slice();
    let total = 0;
    for (let bucket = 0; bucket < cumulativeCounts.length; bucket++) {
      total += cumulativeCounts[bucket] as number;
      cumulativeCounts[bucket] = total;
    }
    const exemplars = this.#exemplars?.slice() ?? noExemplars;
    return { cumulativeCounts, sumSeconds: this.#sumSeconds, exemplars };
  }
}
