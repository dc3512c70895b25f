import type { WorkerHealth } from "@nidus/jobs-observe";
import type { Labels } from "./job-series.ts";
import { labelValueOf, overflowLabel } from "./label-value.ts";
import { timeMsOf } from "./time.ts";

/** Whether the engines of one name answer, and how their workers in this process do. */
export interface EngineState {
  readonly labels: Labels;
  /** False if one of the engines of this name does not answer. */
  readonly isUp: boolean;
  /** Unix milliseconds of the latest answer to the worker that has waited longest for one; Infinity without a worker. */
  readonly oldestFetchMs: number;
}

/** The engines of a process by name. Their number is bounded. */
export class EngineTable {
  readonly #maxEngines: number;
  readonly #engines = new Map<string, EngineState>();

  constructor(maxEngines: number) {
    this.#maxEngines = maxEngines;
  }

  get isEmpty(): boolean {
    return this.#engines.size === 0;
  }

  get all(): readonly EngineState[] {
    return [...this.#engines.values()];
  }

  clear(): void {
    this.#engines.clear();
  }

  /** Notes what one engine answered. Engines of one name count as one. */
  note(name: unknown, isUp: boolean, workers: readonly WorkerHealth[] | undefined): void {
    const given = labelValueOf(String(name));
    const isNew = !this.#engines.has(given);
    const engine = isNew && this.#engines.size >= this.#maxEngines ? overflowLabel : given;
    const { isUp: wasUp = true, oldestFetchMs = Infinity } = this.#engines.get(engine) ?? {};
    const fetchesMs = isUp && Array.isArray(workers) ? workers.map(lastFetchMs) : [];
    this.#engines.set(engine, {
      labels: { engine },
      isUp: wasUp && isUp,
      oldestFetchMs: Math.min(oldestFetchMs, ...fetchesMs),
    });
  }
}

function lastFetchMs(worker: WorkerHealth | undefined): number {
  return timeMsOf(worker?.lastFetchAt) ?? Infinity;
}
