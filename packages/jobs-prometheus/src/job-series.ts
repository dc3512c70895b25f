import type { JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";
import type { DurationHistogram, HistogramState } from "./duration-histogram.ts";
import { RunningContexts } from "./running-contexts.ts";

/** Labels of a series, by name. */
export type Labels = Readonly<Record<string, string>>;

/** What is counted for one status of one label set. */
export class StatusSeries {
  readonly labels: Labels;
  finished = 0;
  /** Made by the first run that ends this way: histograms that stay empty would triple a scrape. */
  durations: DurationHistogram | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  reset(): void {
    this.finished = 0;
    this.durations = undefined;
  }
}

/** What engines tell about one label set. */
export class EngineCounts {
  enqueued = 0;
  retries = 0;
  deadLettered = 0;
  stalled = 0;
  waits: DurationHistogram | undefined;
}

/** What waits in engines, as it was last read. */
export interface Backlog {
  waiting: number;
  /** Unix milliseconds; Infinity where nothing waits. */
  oldestAtMs: number;
}

/** What one scrape shows of a label set, as it was at one moment. */
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
}

/** Everything that is counted for one label set, in plain numbers. */
export class JobSeries {
  readonly labels: Labels;
  readonly byStatus: Readonly<Record<JobResultStatus, StatusSeries>>;
  started = 0;
  inProgress = 0;
  /** The latest success: a context that knows its time, or the time where the context would keep more in memory. */
  #lastSuccess: ObservedJobContext | number | undefined;
  #emptyAttributes: ObservedJobContext["attributes"] | undefined;
  readonly running: RunningContexts = new RunningContexts();
  engine: EngineCounts | undefined;
  backlog: Backlog | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
    this.byStatus = {
      success: new StatusSeries({ ...labels, status: "success" }),
      failure: new StatusSeries({ ...labels, status: "failure" }),
      cancelled: new StatusSeries({ ...labels, status: "cancelled" }),
    };
  }

  /** A time of day costs as much as all the counting together: it is derived at a scrape, if that is soon enough. */
  succeed(context: ObservedJobContext): void {
    this.#lastSuccess = this.#isSmall(context) ? context : endOf(context);
  }

  /** Attributes and the headers of deliveries can be of any size, and what is kept for each series is kept for long. */
  #isSmall({ attributes, delivery, jobName }: ObservedJobContext): boolean {
    if (delivery !== undefined || jobName.length > 256) return false;
    // Looking for keys costs as much as counting the run, and the runs of a runner share their attributes.
    if (attributes === this.#emptyAttributes) return true;
    for (const _ in attributes) return false;
    this.#emptyAttributes = attributes;
    return true;
  }

  /** A copy of what was counted so far. */
  state(): SeriesState {
    const { labels, started, inProgress, byStatus, running, engine, backlog } = this;
    if (typeof this.#lastSuccess === "object") this.#lastSuccess = endOf(this.#lastSuccess);
    return {
      labels,
      started,
      inProgress,
      byStatus: [byStatus.success, byStatus.failure, byStatus.cancelled].map((status) => ({
        labels: status.labels,
        finished: status.finished,
        durations: status.durations?.state(),
      })),
      lastSuccessMs: finite(this.#lastSuccess),
      oldestStartMs: finite(running.oldestStartMs),
      engine: engine && { ...engine, waits: engine.waits?.state() },
      backlog,
    };
  }

  /** What was counted is forgotten; what is running goes on running. */
  reset(): void {
    this.started = 0;
    this.#lastSuccess = undefined;
    if (this.engine !== undefined) this.engine = new EngineCounts();
    for (const series of Object.values(this.byStatus)) series.reset();
  }
}

function endOf(context: ObservedJobContext): number {
  return context.startedAtMs + (context.durationMs ?? 0);
}

function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
