import type { JobAttributes } from "./attributes.ts";
import { unixTimeMs } from "./clock.ts";
import type { JobDelivery, JobProgress } from "./delivery.ts";

/** Describes one run as plain data. You can copy it, compare it, or send it to another thread. */
export interface ObservedJobData {
  /** Made at most once per run, when it is first read. The same in every context of the run. */
  readonly runId: string;
  /** The name of the job. */
  readonly jobName: string;
  /** The attributes of the runner; frozen. */
  readonly attributes: JobAttributes;
  /** Not private: a context may come from another installed copy of this package, and a deep comparison reads this field. */
  readonly startedAtMs: number;
  /** Milliseconds with fractions, from the monotonic clock. Never negative; undefined until the run has finished. */
  readonly durationMs: number | undefined;
  /** The delivery, if an engine delivered the job; else undefined. */
  readonly delivery: JobDelivery | undefined;
}

/**
 * Describes one run. It never changes, so you may keep it. A start and a finish have different contexts: the context of
 * the start has no duration.
 *
 * Its fields are getters, which spread and `structuredClone` leave out. `toJSON()` returns all of them.
 */
export interface ObservedJobContext extends ObservedJobData {
  /** Returns the fields as plain data, in the form that `JSON.stringify` writes. */
  toJSON(): ObservedJobData;
}

/** The settings that all runs of one runner share. */
export interface RunSettings {
  readonly attributes: JobAttributes;
  /** Returns undefined, or is absent, if the run gets a random id. */
  readonly runId?: () => string | undefined;
  /** Hears of the progress of runs. */
  readonly observers: { onJobProgressed(context: ObservedJobContext, progress: JobProgress): void };
}

/** Methods of both classes. The fields are getters: console.log and util.inspect show them by calling the symbol. */
const readable = { toJSON, [Symbol.for("nodejs.util.inspect.custom")]: toJSON };

function toJSON(this: ObservedJobData): ObservedJobData {
  const { runId, jobName, attributes, startedAtMs, durationMs, delivery } = this;
  return { runId, jobName, attributes, startedAtMs, durationMs, delivery };
}

let startedRuns = 0;

/**
 * The context that observers get when a run starts. The constructor reads the clock once. The run id and the time of
 * day are made when an observer first reads them. Getters keep observers from changing the fields.
 *
 * This class and FinishedContext share no base class: a base class would cost a tenth of a run.
 */
export class StartedContext implements ObservedJobContext {
  static {
    Object.assign(StartedContext.prototype, readable);
  }

  declare toJSON: () => ObservedJobData;
  /** Differs between runs, so that a deep comparison tells two runs apart even if a test has stopped the clock. */
  protected readonly serial: number;
  /**
   * The clock of both reads. Tests replace the global, so it is looked up in each run, but only once: a look-up costs a tenth of
   * a run.
   */
  readonly #clock = performance;
  /** The start, in milliseconds of `performance.now()`. */
  readonly clockMs: number = this.#clock.now();
  readonly #jobName: string;
  readonly #settings: RunSettings;
  readonly #delivery: JobDelivery | undefined;
  #runId: string | undefined;
  #startedAtMs: number | undefined;

  constructor(jobName: string, settings: RunSettings, delivery?: JobDelivery) {
    this.#jobName = jobName;
    this.#settings = settings;
    this.#delivery = delivery;
    this.serial = ++startedRuns;
  }

  get runId(): string {
    this.#runId ??= this.#settings.runId?.() ?? crypto.randomUUID();
    return this.#runId;
  }

  get jobName(): string {
    return this.#jobName;
  }

  get attributes(): JobAttributes {
    return this.#settings.attributes;
  }

  get startedAtMs(): number {
    this.#startedAtMs ??= unixTimeMs(this.clockMs);
    return this.#startedAtMs;
  }

  get durationMs(): undefined {
    return undefined;
  }

  get delivery(): JobDelivery | undefined {
    return this.#delivery;
  }

  /** Reads the clock of the run. */
  now(): number {
    return this.#clock.now();
  }

  /** Tells the observers of the run how far it has come. Never throws. */
  progressed(progress: JobProgress): void {
    this.#settings.observers.onJobProgressed(this, progress);
  }
}

/** The context that observers get when a run has finished. The constructor reads the clock once. */
export class FinishedContext implements ObservedJobContext {
  static {
    Object.assign(FinishedContext.prototype, readable);
  }

  /**
   * Contexts that are never collected. If a garbage collection finds no object of a class, V8 drops the code that it
   * optimised for that class. Without these contexts, every full collection between two runs would do so.
   */
  static readonly kept: FinishedContext = new FinishedContext(new StartedContext("", {} as RunSettings));

  declare toJSON: () => ObservedJobData;
  readonly clockMs: number;
  /** Not private: a context may come from another installed copy of this package, and a deep comparison looks at it. */
  readonly start: StartedContext;

  constructor(start: StartedContext) {
    this.clockMs = start.now();
    this.start = start;
  }

  get runId(): string {
    return this.start.runId;
  }

  get jobName(): string {
    return this.start.jobName;
  }

  get attributes(): JobAttributes {
    return this.start.attributes;
  }

  get startedAtMs(): number {
    return this.start.startedAtMs;
  }

  get durationMs(): number {
    const durationMs = this.clockMs - this.start.clockMs;
    // Tests may replace the clock during a run.
    return durationMs > 0 && durationMs < Infinity ? durationMs : 0;
  }

  get delivery(): JobDelivery | undefined {
    return this.start.delivery;
  }
}

/**
 * Returns the context with which a run started. It is the same object for every context of one run, and differs between
 * runs.
 *
 * An observer uses it as the key of what it keeps for a run until the run finishes. It does not make the run id.
 */
export function startedContext(context: ObservedJobContext): ObservedJobContext {
  return (context as Partial<FinishedContext>).start ?? context;
}

/**
 * Returns the moment at which a context was made, in milliseconds of `performance.now()`: the start of a run or, of a
 * finished run, its end. An observer that keeps many moments and reads few keeps this number, and turns it into a time
 * of day with `unixTimeMs`.
 */
export function monotonicMsOf(context: ObservedJobContext): number {
  return (context as Partial<StartedContext>).clockMs ?? foreignClockMs(context);
}

/** Returns the moment of a context that comes from another copy of this package. */
function foreignClockMs({ startedAtMs, durationMs = 0 }: ObservedJobContext): number {
  return startedAtMs + durationMs - unixTimeMs(0);
}
