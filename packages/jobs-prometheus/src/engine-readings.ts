import type {
  DeadLetterCount,
  EngineHealth,
  JobBacklog,
  JobScheduleTimes,
  OpenedEngineContext,
} from "@nidus/jobs-observe";
import { EngineTable } from "./counts/engine-table.ts";
import type { JobSeries } from "./counts/job-series.ts";
import type { SeriesTable } from "./counts/series-table.ts";
import { timeMsOf } from "./counts/time.ts";

/** Scrapes within this time, in milliseconds, share one reading. */
const readEveryMs = 5_000;

/** How long a scrape waits for the engines, in milliseconds: other metrics in the registry are due, too. */
const answerWithinMs = 2_000;

/** What one engine answered in time. A part that it did not answer is undefined. */
interface Answer {
  readonly isUp: boolean;
  readonly backlog: readonly JobBacklog[] | undefined;
  readonly deadLetters: readonly DeadLetterCount[] | undefined;
  readonly schedules: readonly JobScheduleTimes[] | undefined;
  readonly health: EngineHealth | undefined;
}

/** Reads engines when the registry is scraped, at most every few seconds. */
export class EngineReadings {
  readonly #table: SeriesTable;
  /** Whether each engine answers, as last read. */
  readonly engines: EngineTable;
  readonly #opened = new Set<OpenedEngineContext>();
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(table: SeriesTable, maxEngines: number) {
    this.#table = table;
    this.engines = new EngineTable(maxEngines);
  }

  add(engine: OpenedEngineContext): void {
    this.#opened.add(engine);
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Updates the series. Never rejects: what cannot be read is left out, rather than shown out of date. */
  refresh(): Promise<void> | undefined {
    if (this.#opened.size === 0 && this.engines.isEmpty) return undefined;
    if (this.#reading === undefined && performance.now() - this.#readAtMs >= readEveryMs) {
      this.#readAtMs = performance.now();
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    }
    return this.#reading;
  }

  async #read(): Promise<void> {
    const engines = [...this.#opened];
    const answers = await Promise.all(engines.map((engine) => this.#ask(engine)));
    for (const series of this.#table.all) series.forgetReadings();
    this.engines.clear();
    for (const [index, answer] of answers.entries()) {
      const { engine } = engines[index] as OpenedEngineContext;
      if (answer === undefined) continue;
      this.engines.note(engine, answer.isUp, answer.health?.workers);
      for (const entry of listOf<JobBacklog>(answer.backlog)) this.#noteBacklog(entry);
      for (const entry of listOf<DeadLetterCount>(answer.deadLetters)) this.#noteDeadLetters(entry);
      for (const entry of listOf<JobScheduleTimes>(answer.schedules)) this.#noteSchedule(entry);
    }
  }

  #seriesOf(jobName: unknown): JobSeries | undefined {
    return typeof jobName === "string" ? this.#table.ofJob(jobName) : undefined;
  }

  #noteBacklog({ jobName, waiting, oldestWaitingAt }: Partial<JobBacklog>): void {
    if (isCount(waiting)) this.#seriesOf(jobName)?.noteBacklog(waiting, timeMsOf(oldestWaitingAt));
  }

  #noteDeadLetters({ jobName, count, oldestAt }: Partial<DeadLetterCount>): void {
    if (isCount(count)) this.#seriesOf(jobName)?.noteDeadLetters(count, timeMsOf(oldestAt));
  }

  #noteSchedule({ jobName, lastScheduledAt }: Partial<JobScheduleTimes>): void {
    const dueMs = timeMsOf(lastScheduledAt);
    // The clock of the store may be ahead of this one.
    if (dueMs !== undefined && dueMs <= Date.now()) this.#seriesOf(jobName)?.noteSchedule(dueMs);
  }

  /** Asks an engine everything at once, for a bounded time. Resolves to undefined once it is closed. */
  async #ask(engine: OpenedEngineContext): Promise<Answer | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), answerWithinMs);
    });
    let isClosed = false;
    const inTime = async <T>(
      question: (() => Promise<T | undefined>) | undefined,
    ): Promise<T | undefined> => {
      try {
        return await Promise.race([question?.call(engine), late]);
      } catch {
        // The engine reports the error through its own `onError`.
        return undefined;
      }
    };
    const readBacklog = async (): Promise<readonly JobBacklog[] | undefined> => {
      const backlog = await engine.backlog();
      if (backlog === undefined) isClosed = true;
      return backlog;
    };
    const [backlog, deadLetters, schedules, health] = await Promise.all([
      inTime(readBacklog),
      inTime(engine.deadLetters),
      inTime(engine.schedules),
      inTime(engine.health),
    ]);
    clearTimeout(timer);
    if (isClosed) {
      this.#opened.delete(engine);
      return undefined;
    }
    const isUp = engine.health === undefined ? backlog !== undefined : health?.isReachable === true;
    return { isUp, backlog, deadLetters, schedules, health };
  }
}

/** Lists the entries of an answer, of whatever shape: engines of other authors may answer anything. */
function listOf<T extends object>(answer: unknown): readonly Partial<T>[] {
  return Array.isArray(answer) ? answer.map((entry) => (entry ?? {}) as Partial<T>) : [];
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value < Infinity;
}
