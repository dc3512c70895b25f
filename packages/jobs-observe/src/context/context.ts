import type { JobAttributes } from "./attributes.ts";
import { unixTimeMs } from "./clock.ts";
import type { JobDelivery } from "./delivery.ts";

/** What is known about one run, as plain data: to copy, to compare, or to send to another thread. */
export interface ObservedJobData {
  /** Made at most once a run, when it is first read; the same in every context of the run. */
  readonly runId: string;
  /** As the job has it. */
  readonly jobName: string;
  /** Those of the runner; frozen. */
  readonly attributes: JobAttributes;
  /** Unix time in milliseconds, derived from the run's first clock read. */
  readonly startedAtMs: number;
  /** Milliseconds with fractions, from the monotonic clock and never negative; undefined until the run has finished. */
  readonly durationMs: number | undefined;
  /** Where an engine delivered the job, else undefined. */
  readonly delivery: JobDelivery | undefined;
}

/**
 * What is known about one run. It never changes, so it is safe to keep: the context that observers get when a run starts
 * has no duration, and the one they get when it finishes is another object.
 *
 * Its fields are getters, which spread and `structuredClone` leave out. `toJSON()` has all of them.
 */
export interface ObservedJobContext extends ObservedJobData {
  /** Returns the fields as plain data, which is what `JSON.stringify` writes. */
  toJSON(): ObservedJobData;
}

/** What the runs of one runner have in common. */
export interface RunSettings {
  readonly attributes: JobAttributes;
  readonly newRunId: () => string;
}

let startedRuns = 0;

/**
 * A run as observers see it when it starts. The clock is read once, as the context is made. The run id and the time of day are made
 * when an observer first reads them. Getters keep others from changing them.
 *
 * This class and FinishedContext share no base class: a base class would cost a tenth of a run.
 */
export class StartedContext implements ObservedJobContext {
  /**
   * Contexts that live for ever. V8 throws away code that is optimised for a class if a garbage collection finds no object of the
   * class, which would be at every full collection between two runs.
   */
  static kept: FinishedContext | undefined;

  /** Another one for every run: the only difference that a deep comparison sees if a test has stopped the clock. */
  protected readonly sequence: number;
  declare toJSON: () => ObservedJobData;
  /** By `performance.now()`. */
  readonly monotonicMs: number = performance.now();
  readonly #jobName: string;
  readonly #settings: RunSettings;
  readonly #delivery: JobDelivery | undefined;
  #runId: string | undefined;
  #startedAtMs: number | undefined;

  constructor(jobName: string, settings: RunSettings, delivery: JobDelivery | undefined) {
    this.#jobName = jobName;
    this.#settings = settings;
    this.#delivery = delivery;
    this.sequence = ++startedRuns;
  }

  get runId(): string {
    this.#runId ??= this.#settings.newRunId();
    return this.#runId;
  }

  get jobName(): string {
    return this.#jobName;
  }

  get attributes(): JobAttributes {
    return this.#settings.attributes;
  }

  get startedAtMs(): number {
    this.#startedAtMs ??= unixTimeMs(this.monotonicMs);
    return this.#startedAtMs;
  }

  get durationMs(): undefined {
    return undefined;
  }

  get delivery(): JobDelivery | undefined {
    return this.#delivery;
  }
}

/** The same run when it has finished. The clock is read once, as the context is made. */
export class FinishedContext implements ObservedJobContext {
  declare toJSON: () => ObservedJobData;
  readonly monotonicMs: number = performance.now();
  /** Not private: a context may come from another installed copy of this package, and a deep comparison looks at it. */
  readonly start: StartedContext;

  constructor(start: StartedContext) {
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
    const durationMs = this.monotonicMs - this.start.monotonicMs;
    // Tests replace the clock, also during a run.
    return durationMs > 0 && durationMs < Infinity ? durationMs : 0;
  }

  get delivery(): JobDelivery | undefined {
    return this.start.delivery;
  }
}

// The fields are getters: console.log and util.inspect show them by asking for the symbol.
for (const { prototype } of [StartedContext, FinishedContext]) {
  for (const key of ["toJSON", Symbol.for("nodejs.util.inspect.custom")]) {
    Object.defineProperty(prototype, key, { value: toJSON });
  }
}

function toJSON(this: ObservedJobData): ObservedJobData {
  const { runId, jobName, attributes, startedAtMs, durationMs, delivery } = this;
  return { runId, jobName, attributes, startedAtMs, durationMs, delivery };
}

/**
 * The context with which a run started: the same object for every context of one run, and another for every other run.
 * It is the key under which an observer keeps what belongs to a run until it finishes, without asking for the run id.
 */
export function startedContext(context: ObservedJobContext): ObservedJobContext {
  return (context as Partial<FinishedContext>).start ?? context;
}

/**
 * The moment at which a context was made, by `performance.now()`: the start of its run or, if the run has finished, the end. An
 * observer that keeps many moments and reads few of them keeps this number, and turns it into a time of day with `unixTimeMs`.
 */
export function monotonicMsOf(context: ObservedJobContext): number {
  const { monotonicMs } = context as Partial<StartedContext>;
  return monotonicMs ?? context.startedAtMs + (context.durationMs ?? 0) - unixTimeMs(0);
}
