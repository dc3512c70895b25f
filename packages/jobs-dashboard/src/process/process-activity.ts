import type { JobError } from "@nidus/jobs-core";
import type {
  DeclaredJobContext,
  JobObserver,
  JobProgress,
  JobResultStatus,
  ObservedJobContext,
  SettledJobContext,
} from "@nidus/jobs-observe";
import { monotonicMsOf, startedContext } from "@nidus/jobs-observe/adapter";
import { copied } from "./error-text.ts";
import { EventBuffer, type EventKind } from "./event-buffer.ts";
import { FailureLog } from "./failure-log.ts";
import { JobActivity } from "./job-activity.ts";
import { cutName, maxName, overflowName } from "./job-name.ts";
import { keptRun } from "./kept-run.ts";
import { RunningRuns } from "./running-runs.ts";
import { activeSpan, traceIdOf } from "./trace.ts";

/** How many job names are kept apart. Further names are counted together. */
const maxNames = 500;

/** How many of the names that are counted together are told apart, so that the page can say how many there are. */
const maxNamesBeyond = 10_000;

/** How many finished runs are kept: of each name, and of all. With many names, each keeps fewer. */
export const keptRuns = 200;
const keptRunsInAll = 20_000;

/** Keeps what ran in this process, in lists of bounded length. Every member that reads is up to date. */
export class ProcessActivity {
  readonly #byName: Map<string, JobActivity> = new Map();
  readonly #beyondLimit: Set<string> = new Set();
  readonly #failures: FailureLog = new FailureLog();
  readonly #running: RunningRuns = new RunningRuns();
  readonly #progress: Map<ObservedJobContext, JobProgress> = new Map();
  readonly #buffer: EventBuffer = new EventBuffer(
    (...event) => this.#apply(...event),
    () => this.#settle(),
  );
  #last: JobActivity | undefined;
  /** The names of engines that were opened in this process. */
  readonly engines: Set<string> = new Set();
  service: string | undefined;
  /** An observer was made, so runs will be seen. */
  isFed = false;

  get jobs(): Iterable<JobActivity> {
    this.#buffer.flush();
    return this.#byName.values();
  }

  /** Finds what is kept of this name alone. */
  find(jobName: string): JobActivity | undefined {
    this.#buffer.flush();
    return this.#byName.get(cutName(jobName));
  }

  /** Finds where the runs of this name are counted: under the name itself, or together with others beyond the limit. */
  countedIn(jobName: string): JobActivity | undefined {
    const known = this.find(jobName);
    if (known !== undefined) return known;
    const beyond = this.#beyondLimit;
    // Once that set is full, any other name may be one of them.
    const isBeyond = beyond.size >= maxNamesBeyond || beyond.has(cutName(jobName));
    return isBeyond ? this.#byName.get(overflowName) : undefined;
  }

  get running(): RunningRuns {
    this.#buffer.flush();
    return this.#running;
  }

  get failures(): FailureLog {
    this.#buffer.flush();
    return this.#failures;
  }

  get namesBeyondLimit(): number {
    this.#buffer.flush();
    return this.#beyondLimit.size;
  }

  /** Returns the progress that a running run last reported. */
  progressOf(context: ObservedJobContext): JobProgress | undefined {
    return this.#progress.get(context);
  }

  #of(jobName: string): JobActivity {
    // A job seldom runs alone: most calls ask for the same job as the last one.
    if (this.#last?.name === jobName) return this.#last;
    this.#last = this.#byName.get(jobName) ?? this.#create(jobName);
    return this.#last;
  }

  #create(given: string): JobActivity {
    const name = copied(given, maxName);
    const isBeyond = this.#byName.size >= maxNames && !this.#byName.has(name);
    if (isBeyond && this.#beyondLimit.size < maxNamesBeyond) this.#beyondLimit.add(name);
    const jobName = isBeyond ? overflowName : name;
    return this.#byName.get(jobName) ?? this.#add(jobName);
  }

  #add(jobName: string): JobActivity {
    const kept = Math.min(keptRuns, Math.floor(keptRunsInAll / (this.#byName.size + 1)));
    const activity = new JobActivity(jobName, kept);
    if (kept < keptRuns) for (const other of this.#byName.values()) other.ring.resize(kept);
    this.#byName.set(jobName, activity);
    return activity;
  }

  /** Makes an observer that feeds this. */
  observer(): JobObserver {
    this.isFed = true;
    const buffer = this.#buffer;
    return {
      onJobStarted: (context) => buffer.push("started", context, activeSpan()),
      onJobFinished: (context, status, error) => buffer.push(status, context, error),
      onJobProgressed: (context, progress) => buffer.push("progressed", context, progress),
      onJobSettled(context) {
        const { outcome } = context;
        if (outcome === "retried" || outcome === "dead-lettered") buffer.push(outcome, context, undefined);
      },
      onJobDeclared: (context) => this.#declare(context),
      onEngineOpened: ({ engine }) => void this.engines.add(copied(engine, 100)),
    };
  }

  #apply(kind: EventKind, context: unknown, extra: unknown): void {
    if (kind === "started") this.#start(context as ObservedJobContext, extra);
    else if (kind === "progressed") this.#progressed(context as ObservedJobContext, extra as JobProgress);
    else if (kind === "retried" || kind === "dead-lettered") {
      this.#of((context as SettledJobContext).jobName).settle(kind);
    } else this.#finish(context as ObservedJobContext, kind, extra as JobError | undefined);
  }

  #start(context: ObservedJobContext, span: unknown): void {
    this.#of(context.jobName).start(context);
    this.#running.add(context, traceIdOf(span, context.delivery));
  }

  #finish(context: ObservedJobContext, status: JobResultStatus, error: JobError | undefined): void {
    const started = startedContext(context);
    const traceId = this.#running.delete(started);
    if (this.#progress.size > 0) this.#progress.delete(started);
    const activity = this.#of(context.jobName);
    // The page finds the error of a run by what is kept of the run.
    const run = status === "failure" ? keptRun(context) : context;
    activity.finish(monotonicMsOf(context), run, status, traceId);
    if (status === "failure" && error !== undefined) this.#failures.add(activity, run, traceId, error);
  }

  #settle(): void {
    for (const { ring } of this.#byName.values()) ring.settle();
  }

  #progressed(context: ObservedJobContext, progress: JobProgress): void {
    const started = startedContext(context);
    if (this.#running.has(started)) this.#progress.set(started, progress);
  }

  #declare({ jobName, objectives, options }: DeclaredJobContext): void {
    const activity = this.#of(jobName);
    // Jobs beyond the limit have no objectives and options in common.
    if (activity.name === overflowName) return;
    if (objectives !== undefined) activity.objectives = objectives;
    if (options !== undefined) activity.options = options;
  }
}
