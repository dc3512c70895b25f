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

let made = 0;

/**
 * A run as observers see it, when it starts or when it has finished. Each reads the clock once, as it is made; what takes
 * time is made when it is first read, and kept by the start. Nobody can change what getters show.
 */
export class RunContext implements ObservedJobContext {
  /**
   * One that lives for ever. V8 throws away code that is optimised for a class if a garbage collection finds no object of the
   * class, which would be at every full collection between two runs.
   */
  static kept: RunContext | undefined;

  /** Another one for every context: the only field that is no getter, so no two contexts are deeply equal. */
  protected readonly sequence: number;
  readonly #madeAtMs: number = performance.now();
  readonly #jobName: string;
  readonly #settings: RunSettings;
  readonly #delivery: JobDelivery | undefined;
  readonly #start: RunContext;
  #runId: string | undefined;
  #startedAtMs: number | undefined;

  static {
    // The fields are getters: console.log and util.inspect show them by asking for this.
    Object.defineProperty(RunContext.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value: RunContext.prototype.toJSON,
    });
  }

  /** The start of a run or, given that, its finish. */
  constructor(jobName: string, settings: RunSettings, delivery: JobDelivery | undefined, start?: RunContext) {
    this.#jobName = jobName;
    this.#settings = settings;
    this.#delivery = delivery;
    this.#start = start ?? this;
    made = (made + 1) | 0;
    this.sequence = made;
  }

  /** The same run once it has finished. */
  finish(): RunContext {
    return new RunContext(this.#jobName, this.#settings, this.#delivery, this);
  }

  /** Not private: a context may come from another installed copy of this package. */
  get start(): ObservedJobContext {
    return this.#start;
  }

  get runId(): string {
    const start = this.#start;
    start.#runId ??= this.#settings.newRunId();
    return start.#runId;
  }

  get jobName(): string {
    return this.#jobName;
  }

  get attributes(): JobAttributes {
    return this.#settings.attributes;
  }

  get startedAtMs(): number {
    const start = this.#start;
    start.#startedAtMs ??= unixTimeMs(start.#madeAtMs);
    return start.#startedAtMs;
  }

  get durationMs(): number | undefined {
    if (this.#start === this) return undefined;
    const durationMs = this.#madeAtMs - this.#start.#madeAtMs;
    // Tests replace the clock, also during a run.
    return durationMs > 0 && durationMs < Infinity ? durationMs : 0;
  }

  get delivery(): JobDelivery | undefined {
    return this.#delivery;
  }

  toJSON(): ObservedJobData {
    const { runId, jobName, attributes, startedAtMs, durationMs, delivery } = this;
    return { runId, jobName, attributes, startedAtMs, durationMs, delivery };
  }
}

/**
 * The context with which a run started: the same object for every context of one run, and another for every other run.
 * It is the key under which an observer keeps what belongs to a run until it finishes, without asking for the run id.
 */
export function startedContext(context: ObservedJobContext): ObservedJobContext {
  return (context as Partial<RunContext>).start ?? context;
}
