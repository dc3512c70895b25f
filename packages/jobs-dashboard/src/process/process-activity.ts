import type { JobError } from "@nidus/jobs-core";
import { propertyOf } from "@nidus/jobs-core/adapter";
import {
  type DeclaredJobContext,
  type JobObserver,
  type JobResultStatus,
  type ObservedJobContext,
  type SettledJobContext,
  startedContext,
} from "@nidus/jobs-observe";
import { copied } from "./error-text.ts";
import { FailureLog } from "./failure-log.ts";
import { JobActivity, type Objectives } from "./job-activity.ts";
import { activeSpan } from "./trace.ts";

/** How many job names are kept apart. Further names are counted together. */
const maxNames = 500;
const overflowName = "<overflow>";

/** How many of the names that are counted together are told apart, so that the page can say how many there are. */
const maxNamesBeyond = 10_000;

/** How many running runs are kept. Further runs are counted. */
const maxRunning = 10_000;

/** The progress that a run last reported. */
export interface RunProgress {
  readonly fraction: number;
  readonly note?: string | undefined;
}

/** Keeps what ran in this process. A run costs a few additions and two entries in lists of bounded length. */
export class ProcessActivity {
  readonly #byName = new Map<string, JobActivity>();
  readonly #beyondLimit = new Set<string>();
  readonly failures: FailureLog = new FailureLog();
  /** The running runs, oldest first, each with its span. */
  readonly running: Map<ObservedJobContext, unknown> = new Map();
  readonly progress: Map<ObservedJobContext, RunProgress> = new Map();
  /** The names of engines that were opened in this process. */
  readonly engines: Set<string> = new Set();
  runningBeyondLimit = 0;
  service: string | undefined;
  /** An observer was made, so runs will be seen. */
  isFed = false;
  #last: JobActivity | undefined;

  get jobs(): Iterable<JobActivity> {
    return this.#byName.values();
  }

  find(jobName: string): JobActivity | undefined {
    return this.#byName.get(jobName);
  }

  get namesBeyondLimit(): number {
    return this.#beyondLimit.size;
  }

  #of(jobName: string): JobActivity {
    // A job seldom runs alone: most calls ask for the same job as the last one.
    if (this.#last?.name === jobName) return this.#last;
    this.#last = this.#byName.get(jobName) ?? this.#create(jobName);
    return this.#last;
  }

  #create(given: string): JobActivity {
    const name = copied(given, 256);
    const isBeyond = this.#byName.size >= maxNames && !this.#byName.has(name);
    if (isBeyond && this.#beyondLimit.size < maxNamesBeyond) this.#beyondLimit.add(name);
    const jobName = isBeyond ? overflowName : name;
    const activity = this.#byName.get(jobName) ?? new JobActivity(jobName);
    this.#byName.set(jobName, activity);
    return activity;
  }

  /** Makes an observer that feeds this. */
  observer(): JobObserver {
    this.isFed = true;
    const observer: JobObserver & {
      onJobProgressed(context: ObservedJobContext, progress: RunProgress): void;
    } = {
      onJobStarted: (context) => this.#start(context),
      onJobFinished: (context, status, error) => this.#finish(context, status, error),
      onJobSettled: (context) => this.#settle(context),
      onJobDeclared: (context) => this.#declare(context),
      onJobProgressed: (context, progress) => this.#progressed(context, progress),
      onEngineOpened: ({ engine }) => void this.engines.add(copied(engine, 100)),
    };
    return observer;
  }

  #start(context: ObservedJobContext): void {
    this.#of(context.jobName).start(context);
    if (this.running.size < maxRunning) this.running.set(context, activeSpan());
    else this.runningBeyondLimit++;
  }

  #finish(context: ObservedJobContext, status: JobResultStatus, error: JobError | undefined): void {
    const started = startedContext(context);
    const span = this.running.get(started);
    if (!this.running.delete(started) && this.runningBeyondLimit > 0) this.runningBeyondLimit--;
    if (this.progress.size > 0) this.progress.delete(started);
    const activity = this.#of(context.jobName);
    activity.finish(context, status, span);
    if (status === "failure" && error !== undefined) this.failures.add(activity, context, span, error);
  }

  #progressed(context: ObservedJobContext, progress: RunProgress): void {
    const started = startedContext(context);
    if (this.running.has(started)) this.progress.set(started, progress);
  }

  #settle({ jobName, outcome }: SettledJobContext): void {
    const activity = this.#of(jobName);
    if (outcome === "retried") activity.retries++;
    if (outcome === "dead-lettered") activity.deadLettered++;
    if (outcome === "retried" || outcome === "dead-lettered") activity.isRetrying = true;
  }

  #declare(context: DeclaredJobContext): void {
    const activity = this.#of(context.jobName);
    const objectives = propertyOf(context, "objectives");
    if (typeof objectives === "object" && objectives !== null) activity.objectives = objectives as Objectives;
  }
}
