import type { JobBacklog, OpenedEngineContext } from "@nidus/jobs-observe";
import type { SeriesTable } from "./counts/series-table.ts";
import { timeMsOf } from "./counts/time.ts";

/** Scrapes that come closer together share what was read. */
const readEveryMs = 5_000;

/** A scrape does not wait for longer: it has metrics of others to bring. */
const answerWithinMs = 2_000;

/** Jobs of engines have no context attributes before they run. */
const noAttributes = {};

/** The backlogs of engines, read when the registry is scraped, and at most every few seconds. */
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

  /** Brings the series up to date. It never rejects: what could not be read is not exposed, rather than out of date. */
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
      // The engine has told whoever listens for its errors.
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
