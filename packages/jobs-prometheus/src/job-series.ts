import type { JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";
import type { DurationHistogram } from "./duration-histogram.ts";
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
export interface EngineCounts {
  enqueued: number;
  retries: number;
  deadLettered: number;
  waits: DurationHistogram | undefined;
}

/** What waits in engines, as it was last read. */
export interface Backlog {
  waiting: number;
  /** Unix milliseconds; Infinity where nothing waits. */
  oldestAtMs: number;
}

/** Everything that is counted for one label set, in plain numbers. The registry asks for them when it is scraped. */
export class JobSeries {
  readonly labels: Labels;
  readonly byStatus: Readonly<Record<JobResultStatus, StatusSeries>>;
  started = 0;
  inProgress = 0;
  /** A context is immutable and knows its times: when it succeeded is derived only if somebody asks. */
  lastSuccess: ObservedJobContext | undefined;
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

  /** What was counted is forgotten; what is running goes on running. */
  reset(): void {
    this.started = 0;
    this.lastSuccess = undefined;
    this.engine = undefined;
    for (const series of Object.values(this.byStatus)) series.reset();
  }
}
