/** A measured value with labels. The bucket that the value falls into keeps it. */
export interface Exemplar {
  readonly labelSet: Record<string, string>;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp: number;
}

/** The counts of a histogram at one moment. */
export interface HistogramState {
  /** Counts up to each bound, cumulative. The last one counts all values. */
  readonly cumulativeCounts: readonly number[];
  readonly sumSeconds: number;
  /** By bucket. */
  readonly exemplars: readonly (Exemplar | undefined)[];
}

const noExemplars: readonly Exemplar[] = [];

/** Counts values per bucket, in plain numbers. */
export class DurationHistogram {
  readonly #bounds: readonly number[];
  /** One count per bound, and a last one for values above all bounds. Not cumulative. */
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

  /** Searches from the shortest bucket, since most jobs are short. */
  #bucketOf(seconds: number): number {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    return bucket;
  }

  /** Returns a copy of the counts so far. */
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
