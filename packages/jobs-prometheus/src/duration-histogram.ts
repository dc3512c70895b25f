/** A measured value with labels, kept with the bucket that it fell into. */
export interface Exemplar {
  readonly labelSet: Record<string, string>;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp: number;
}

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

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  /** Counts up to each bound, cumulative; the last is the count of all. */
  cumulativeCounts(): number[] {
    let total = 0;
    return this.#counts.map((count) => {
      total += count;
      return total;
    });
  }

  exemplarOf(bucket: number): Exemplar | undefined {
    return this.#exemplars?.[bucket];
  }
}
