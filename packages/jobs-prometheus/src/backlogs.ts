import type { JobBacklog, OpenedEngineContext } from "@nidus/jobs-observe";
import type { SeriesTable } from "./counts/series-table.ts";
import { timeMsOf } from "./counts/time.ts";

/** Scrapes within this time, in milliseconds, share one reading. */
const readEveryMs = 5_000;

/** How long a scrape waits for the engines, in milliseconds: other metrics in the registry are due, too. */
const answerWithinMs = 2_000;

/** Jobs in engines have no context attributes before they run. */
const noAttributes = {};

/** Reads the backlogs of engines when the registry is scraped, at most every few seconds. */
export class Backlogs {
  readonly #table: SeriesTable;
  readonly #engines = new Set<OpenedEngineContext>();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(table: SeriesTable) {
    this.#table = table;
  }

  add(engine: OpenedEngineContext): void {
    this.#engines.add(engine);
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Updates the series. Never rejects: a backlog that cannot be read is left out, rather than shown out of date. */
  refresh(): Promise<void> | undefined {
    if (this.#engines.size === 0) return undefined;
    if (this.#reading === undefined && performance.now() - this.#readAtMs >= readEveryMs) {
      this.#readAtMs = performance.now();
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    }
    return this.#reading;
  }

  async #read(): Promise<void> {
    const answers = await Promise.all([...this.#engines].map((engine) => this.#ask(engine)));
    for (const series of this.#table.all) series.backlog = undefined;
    for (const entry of answers.flat()) {
      const { jobName, waiting, oldestWaitingAt } = (entry ?? {}) as Partial<JobBacklog>;
      // Engines read what other programs stored.
      if (typeof jobName !== "string" || typeof waiting !== "number" || !(waiting >= 0 && waiting < Infinity))
        continue;
      const series = this.#table.of({ jobName, attributes: noAttributes });
      series.backlog ??= { waiting: 0, oldestAtMs: Infinity };
      series.backlog.waiting += waiting;
      series.backlog.oldestAtMs = Math.min(series.backlog.oldestAtMs, timeMsOf(oldestWaitingAt) ?? Infinity);
    }
  }

  async #ask(engine: OpenedEngineContext): Promise<readonly JobBacklog[]> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<readonly JobBacklog[]>((resolve) => {
        timer = setTimeout(() => resolve([]), answerWithinMs);
      });
      const backlog = await Promise.race([engine.backlog(), late]);
      if (backlog === undefined) this.#engines.delete(engine);
      return Array.isArray(backlog) ? backlog : [];
    } catch {
      // The engine reports the error through its own `onError`.
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
