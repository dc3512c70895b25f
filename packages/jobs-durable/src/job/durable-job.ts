import { type AsyncJob, asyncJob } from "@nidus/jobs-core";
import { invalidArgument, requireJob, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import { type JobDelivery, type JobObjectives, reportProgress } from "@nidus/jobs-observe";
import { requireObjectives } from "@nidus/jobs-observe/adapter";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PayloadError, PermanentJobError, UnsupportedError } from "../errors/errors.ts";
import { type BackoffFunction, defaultBackoff, type JobBackoff, requireBackoff } from "./backoff.ts";
import { payloadText } from "./payload.ts";
import { requirePriority } from "./priority.ts";
import { requireStorableProgress } from "./progress.ts";
import { parse } from "./schema.ts";
import { timeLimited } from "./time-limit.ts";
import { requireTimerMs } from "./timer.ts";

/** The second argument of a handler. */
export interface JobHandlerContext {
  /** Aborted when the job is cancelled, when its time is up or when its worker stops. */
  readonly signal: AbortSignal;
  /** The delivery that this run is, or undefined in an AsyncJobQueue. */
  readonly delivery: JobDelivery | undefined;
  /**
   * Says how far the job has come. Observers hear of each report. The engine stores the last one at most once a second and with the
   * outcome, for `engine.job` to show, if it has the capability `progress`. It never waits: if storing fails, the engine's `onError`
   * hears of it, and the job goes on. Does nothing when the handler has ended.
   *
   * @param fraction The share of the work that is done, from 0 to 1.
   * @param note The work that the job does now: a non-empty string of at most 1,000 characters.
   * @throws TypeError or RangeError for any other fraction or note.
   */
  progress(fraction: number, note?: string): void;
  /**
   * Ends the run by throwing: the job runs again in `ms` milliseconds, a whole number from 0 to a year. It spends no attempt, and
   * the run counts as cancelled, not as failed. The way in which the handler ends decides: if it catches the snooze and returns,
   * the job succeeds; if it throws another error, the job fails, unless that error has the snooze as its `cause`. A job that was
   * cancelled stays cancelled. A snooze counts after the time limit of the job, too.
   *
   * @throws always: the snooze; TypeError or RangeError for a wrong `ms`; UnsupportedError in an AsyncJobQueue, and on an engine
   * without the capability `snoozing`.
   */
  snooze(ms: number): never;
}

/** A stored job's definition: its name, its payload and what it does. */
export interface JobDefinition<Output> {
  /** Never empty. It is the job's address: workers take deliveries by it, and metrics and spans carry it. */
  readonly name: string;
  /** How often a delivery is tried before it is a dead letter, the first included: a whole number from 1. @default 5 */
  readonly maxAttempts?: number | undefined;
  /** The wait before the next attempt. An enqueue may say otherwise. @default 250 ms up to 30 s */
  readonly backoff?: JobBackoff | BackoffFunction | undefined;
  /**
   * Which jobs of this name start first: a whole number from 0, which is first, to 9. An enqueue may say otherwise. Jobs of other names
   * are not compared. @default 0
   */
  readonly priority?: number | undefined;
  /**
   * Milliseconds after which the signal is aborted with a TimeoutError: a whole number from 1. The slot is held until the
   * handler settles. @default no limit
   */
  readonly timeoutMs?: number | undefined;
  /** What you promise of the job. Observers hear of it when an engine works or schedules the job. @default no promise */
  readonly objectives?: JobObjectives | undefined;
  /** Does the work. It may run more than once for one payload, so it must be idempotent. */
  run(payload: Output, context: JobHandlerContext): unknown;
}

/** A job that an engine can store, and that runs in an AsyncJobQueue as well. */
export interface DurableJob<Input, Output = Input> {
  /** As it was defined. */
  readonly name: string;
  /** As it was defined, or 5. An enqueue may say otherwise. */
  readonly maxAttempts: number;
  /** As it was defined, or 250 ms up to 30 s. An enqueue may say otherwise. */
  readonly backoff: JobBackoff | BackoffFunction;
  /** As it was defined, or 0. An enqueue may say otherwise. */
  readonly priority: number;
  /** As it was defined: milliseconds, or undefined for no limit. */
  readonly timeoutMs: number | undefined;
  /** As they were defined, copied and frozen. */
  readonly objectives: JobObjectives | undefined;
  /** The handler itself: `run` of the definition. */
  handle(payload: Output, context: JobHandlerContext): unknown;
  /**
   * The same job for an AsyncJobQueue, with a copy of this payload. It runs once: attempts and backoff are an engine's.
   *
   * @throws PayloadError for a payload that an engine would refuse. A schema that validates asynchronously speaks when the
   * job runs.
   */
  with(payload: Input): AsyncJob<unknown>;
  /**
   * For engines: makes the JSON text to store of a payload. Resolves to undefined if the payload is undefined.
   *
   * @throws (rejects with) PayloadError
   */
  encode(payload: Input): Promise<string | undefined>;
  /**
   * For engines: runs the handler with a payload as it was stored.
   *
   * @throws (rejects with) what the handler does, or PermanentJobError for a payload that no longer fits the schema.
   */
  perform(stored: unknown, context: JobHandlerContext): Promise<unknown>;
}

/** Any job with this payload, whatever its handler gets of it. */
// biome-ignore lint/suspicious/noExplicitAny: with `never`, the payload of a definition written within the call would become `never` too.
export type JobWithPayload<Input> = DurableJob<Input, any>;

/** Any durable job: `never` accepts every payload type, for code that reads no payload. */
export type AnyDurableJob = DurableJob<never, never>;

const definitionKeys = [
  "name",
  "schema",
  "maxAttempts",
  "backoff",
  "priority",
  "timeoutMs",
  "objectives",
  "run",
];

/**
 * Defines a job. With a `schema`, of any library that speaks Standard Schema, payloads are validated when they are enqueued
 * and again when they are delivered: what is stored is the schema's input, what `run` gets is its output.
 *
 * @throws TypeError or RangeError for a definition that is not as documented.
 */
export function defineJob<Schema extends StandardSchemaV1>(
  definition: JobDefinition<StandardSchemaV1.InferOutput<Schema>> & { readonly schema: Schema },
): DurableJob<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>>;
/** Defines a job whose payload is only known to the compiler: `defineJob<{ to: string }>({ … })`. */
export function defineJob<Payload = void>(
  definition: JobDefinition<Payload> & { readonly schema?: undefined },
): DurableJob<Payload, Payload>;
export function defineJob(
  definition: JobDefinition<unknown> & { readonly schema?: StandardSchemaV1 | undefined },
): DurableJob<unknown, unknown> {
  const {
    name,
    schema,
    maxAttempts = 5,
    backoff = defaultBackoff,
    priority = 0,
    timeoutMs,
  } = requireJob(definition);
  requireKnownKeys(`the definition of "${name}"`, definition, definitionKeys);
  requireWholeNumber("`maxAttempts`", maxAttempts);
  const ownBackoff = typeof backoff === "function" ? backoff : requireBackoff(backoff);
  requirePriority(priority);
  if (timeoutMs !== undefined) requireTimerMs("`timeoutMs`", timeoutMs);
  const objectives = requireObjectives(definition.objectives);
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
    throw invalidArgument("`schema`", "a Standard Schema", schema);
  }

  const requireFit = async (stored: unknown, fits: StandardSchemaV1): Promise<unknown> => {
    const parsed = await parse(fits, stored);
    if ("value" in parsed) return parsed.value;
    throw new PermanentJobError(`the stored payload does not fit the schema: ${parsed.problem}`);
  };

  const perform = async (stored: unknown, context: JobHandlerContext): Promise<unknown> => {
    const payload = schema === undefined ? stored : await requireFit(stored, schema);
    return timeoutMs === undefined
      ? definition.run(payload, context)
      : timeLimited(timeoutMs, context.signal, (signal) => definition.run(payload, { ...context, signal }));
  };

  const refuse = (problem: string): PayloadError =>
    new PayloadError(
      `expected a payload that fits the schema of "${name}", got one that does not: ${problem}`,
    );

  return {
    name,
    maxAttempts,
    backoff: ownBackoff,
    priority,
    timeoutMs,
    objectives,
    handle: (payload, context) => definition.run(payload, context),
    perform,
    async encode(payload) {
      const text = payloadText(payload);
      const parsed = schema && (await parse(schema, stored(text)));
      if (parsed && "problem" in parsed) throw refuse(parsed.problem);
      return text;
    },
    with(payload) {
      const text = payloadText(payload);
      const parsed = schema && parse(schema, stored(text));
      if (parsed && "problem" in parsed) throw refuse(parsed.problem);
      if (parsed instanceof Promise) parsed.catch(() => {});
      return asyncJob(name, (signal) =>
        perform(stored(text), { signal, delivery: undefined, progress: tellObservers, snooze: noSnooze }),
      );
    },
  };
}

/** Observers hear of it in an AsyncJobQueue, too. */
function tellObservers(fraction: number, note?: string): void {
  requireStorableProgress(fraction, note);
  reportProgress(fraction, note);
}

function noSnooze(): never {
  throw new UnsupportedError("an AsyncJobQueue runs a job once: `snooze` needs an engine");
}

/** A payload as it comes back from its text: what a schema is asked about, at enqueue and at delivery. */
function stored(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
