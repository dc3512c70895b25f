import type { JobAttributes } from "./attributes.ts";
import { unixTimeMs } from "./clock.ts";
import type { JobDelivery } from "./delivery.ts";

/**
 * What is known about one run. It never changes, so it is safe to keep: the context that observers get when a run starts
 * has no duration, and the one they get when it finishes is another object. `JSON.stringify` writes all of its fields.
 */
export interface ObservedJobContext {
  /** Made at most once a run, when it is first read; the same in every context of the run. */
  readonly runId: string;
  readonly jobName: string;
  readonly attributes: JobAttributes;
  /** Unix time in milliseconds, derived from the run's first clock read. */
  readonly startedAtMs: number;
  /** Milliseconds with fractions, from the monotonic clock; undefined until the run has finished. */
  readonly durationMs: number | undefined;
  /** Where an engine delivered the job, else undefined. */
  readonly delivery: JobDelivery | undefined;
}

abstract class RunContext implements ObservedJobContext {
  abstract readonly runId: string;
  abstract readonly jobName: string;
  abstract readonly attributes: JobAttributes;
  abstract readonly startedAtMs: number;
  abstract readonly durationMs: number | undefined;
  abstract readonly delivery: JobDelivery | undefined;

  static {
    // The fields are getters: console.log and util.inspect show them by asking for this.
    Object.defineProperty(RunContext.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: RunContext) {
        return this.toJSON();
      },
    });
  }

  toJSON(): ObservedJobContext {
    const { runId, jobName, attributes, startedAtMs, durationMs, delivery } = this;
    return { runId, jobName, attributes, startedAtMs, durationMs, delivery };
  }
}

/** A run that has started. It reads the run's first clock. */
export class StartedRun extends RunContext {
  readonly #jobName: string;
  readonly #attributes: JobAttributes;
  readonly #delivery: JobDelivery | undefined;
  readonly #newRunId: () => string;
  readonly #startMs: number = performance.now();
  #runId: string | undefined;
  #startedAtMs: number | undefined;

  constructor(
    jobName: string,
    attributes: JobAttributes,
    delivery: JobDelivery | undefined,
    newRunId: () => string,
  ) {
    super();
    this.#jobName = jobName;
    this.#attributes = attributes;
    this.#delivery = delivery;
    this.#newRunId = newRunId;
  }

  get jobName(): string {
    return this.#jobName;
  }

  get attributes(): JobAttributes {
    return this.#attributes;
  }

  get delivery(): JobDelivery | undefined {
    return this.#delivery;
  }

  get durationMs(): undefined {
    return undefined;
  }

  get runId(): string {
    this.#runId ??= this.#newRunId();
    return this.#runId;
  }

  get startedAtMs(): number {
    this.#startedAtMs ??= unixTimeMs(this.#startMs);
    return this.#startedAtMs;
  }

  /** The run's second and last clock read. */
  finish(): FinishedRun {
    return new FinishedRun(this, performance.now() - this.#startMs);
  }
}

/** The same run, once it has finished. */
export class FinishedRun extends RunContext {
  readonly #started: StartedRun;
  readonly #durationMs: number;

  constructor(started: StartedRun, durationMs: number) {
    super();
    this.#started = started;
    this.#durationMs = durationMs;
  }

  get jobName(): string {
    return this.#started.jobName;
  }

  get attributes(): JobAttributes {
    return this.#started.attributes;
  }

  get delivery(): JobDelivery | undefined {
    return this.#started.delivery;
  }

  get durationMs(): number {
    return this.#durationMs;
  }

  get runId(): string {
    return this.#started.runId;
  }

  get startedAtMs(): number {
    return this.#started.startedAtMs;
  }

  static startOf(context: ObservedJobContext): ObservedJobContext {
    return #started in context ? context.#started : context;
  }
}

/**
 * The context with which a run started: the same object for every context of one run, and another for every other run.
 * It is the key under which an observer keeps what belongs to a run until it finishes, without asking for the run id.
 */
export function startedContext(context: ObservedJobContext): ObservedJobContext {
  return FinishedRun.startOf(context);
}
