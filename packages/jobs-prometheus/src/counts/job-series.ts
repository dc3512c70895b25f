import type { JobObjectives, JobResultStatus } from "@nidus/jobs-observe";
import type { DurationHistogram, HistogramState } from "./duration-histogram.ts";
import { LazyTime } from "./lazy-time.ts";

/** Labels of a series, by name. */
export type Labels = Readonly<Record<string, string>>;

/** Counts the runs of one label set that end in one status. */
export class StatusSeries {
  readonly labels: Labels;
  /** Made by the first run that ends in this status: empty histograms would triple the size of a scrape. */
  durations: DurationHistogram | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  reset(): void {
    this.durations = undefined;
  }
}

/** Counts what engines report about one label set. */
export class EngineCounts {
  enqueued = 0;
  retries = 0;
  deadLettered = 0;
  stalled = 0;
  waits: DurationHistogram | undefined;
}

/** The jobs that wait in engines, as last read. */
export interface Backlog {
  waiting: number;
  /** Unix milliseconds; Infinity if nothing waits. */
  oldestAtMs: number;
}

/** The dead letters in engines, as last read. */
export interface DeadLetters {
  count: number;
  /** Unix milliseconds; Infinity if there is none. */
  oldestAtMs: number;
}

/** The counts of one label set at one moment, as a scrape shows them. */
export interface SeriesState {
  readonly labels: Labels;
  readonly started: number;
  readonly inProgress: number;
  readonly byStatus: readonly {
    readonly labels: Labels;
    readonly finished: number;
    readonly durations: HistogramState | undefined;
  }[];
  /** Unix milliseconds. */
  readonly lastSuccessMs: number | undefined;
  /** Unix milliseconds. */
  readonly oldestStartMs: number | undefined;
  readonly engine: (Omit<EngineCounts, "waits"> & { readonly waits: HistogramState | undefined }) | undefined;
  readonly backlog: Readonly<Backlog> | undefined;
  readonly deadLetters: Readonly<DeadLetters> | undefined;
  /** Unix milliseconds. */
  readonly lastScheduledMs: number | undefined;
  readonly objectives: JobObjectives | undefined;
}

/** Holds all counts of one label set, in plain numbers. */
export class JobSeries {
  readonly labels: Labels;
  readonly byStatus: Readonly<Record<JobResultStatus, StatusSeries>>;
  started = 0;
  inProgress = 0;
  /** Of the runs in progress, how many started before a reset. A run of them counts as started when it finishes. */
  startedBeforeReset = 0;
  readonly lastSuccess: LazyTime = new LazyTime();
  engine: EngineCounts | undefined;
  objectives: JobObjectives | undefined;
  #backlog: Backlog | undefined;
  #deadLetters: DeadLetters | undefined;
  #lastScheduledMs: number | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
    this.byStatus = {
      success: new StatusSeries({ ...labels, status: "success" }),
      failure: new StatusSeries({ ...labels, status: "failure" }),
      cancelled: new StatusSeries({ ...labels, status: "cancelled" }),
    };
  }

  /** Returns a copy of the counts so far. */
  state(oldestStartMs: number | undefined): SeriesState {
    const { labels, started, inProgress, byStatus, engine, objectives } = this;
    return {
      labels,
      started,
      inProgress,
      byStatus: [byStatus.success, byStatus.failure, byStatus.cancelled].map((status) => {
        const durations = status.durations?.state();
        return { labels: status.labels, finished: durations?.cumulativeCounts.at(-1) ?? 0, durations };
      }),
      lastSuccessMs: finite(this.lastSuccess.unixMs),
      oldestStartMs,
      engine: engine && { ...engine, waits: engine.waits?.state() },
      backlog: this.#backlog,
      deadLetters: this.#deadLetters,
      lastScheduledMs: this.#lastScheduledMs,
      objectives,
    };
  }

  /** Forgets what was read from engines. */
  forgetReadings(): void {
    this.#backlog = undefined;
    this.#deadLetters = undefined;
    this.#lastScheduledMs = undefined;
  }

  /** Adds the backlog of one engine. */
  noteBacklog(waiting: number, oldestAtMs: number = Infinity): void {
    const { waiting: before, oldestAtMs: beforeMs } = this.#backlog ?? { waiting: 0, oldestAtMs: Infinity };
    this.#backlog = { waiting: before + waiting, oldestAtMs: Math.min(beforeMs, oldestAtMs) };
  }

  /** Adds the dead letters of one engine. */
  noteDeadLetters(count: number, oldestAtMs: number = Infinity): void {
    const { count: before, oldestAtMs: beforeMs } = this.#deadLetters ?? { count: 0, oldestAtMs: Infinity };
    this.#deadLetters = { count: before + count, oldestAtMs: Math.min(beforeMs, oldestAtMs) };
  }

  /** Notes when a schedule of the job was due. */
  noteSchedule(dueMs: number): void {
    this.#lastScheduledMs = Math.max(this.#lastScheduledMs ?? 0, dueMs);
  }

  /** Forgets what was counted, but not the runs in progress. */
  reset(): void {
    this.started = 0;
    this.startedBeforeReset = this.inProgress;
    this.lastSuccess.set(Number.NaN);
    if (this.engine !== undefined) this.engine = new EngineCounts();
    for (const series of Object.values(this.byStatus)) series.reset();
  }
}

function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
