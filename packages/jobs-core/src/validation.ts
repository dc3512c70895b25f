import { setMaxListeners } from "node:events";
import { neverAbortedSignal } from "./cancellation.ts";
import { propertyOf } from "./foreign.ts";

/**
 * Resolves to `unknown` if a job's result cannot be a promise, else to a type that no job has. Intersect a parameter's
 * type with it: the compiler then refuses async work in a synchronous place.
 */
export type RefuseAsync<T> = 0 extends 1 & T
  ? unknown
  : [Extract<T, PromiseLike<unknown>>] extends [never]
    ? unknown
    : { readonly "this job returns a promise: it belongs in an AsyncJobQueue, or in runAsync()": never };

/** Renders any value for a message, in at most 80 characters. Never throws. */
export function formatValue(value: unknown): string {
  try {
    // An empty array has an empty text.
    return (typeof value === "string" ? JSON.stringify(value) : String(value) || "[]").slice(0, 80);
  } catch {
    return "something";
  }
}

/** Makes the error for a wrong argument, in the wording of all packages: "expected `name` to be a string, got 7". */
export function invalidArgument(
  what: string,
  expectation: string,
  received: unknown,
  Refusal: new (message: string) => TypeError = TypeError,
): TypeError {
  return new Refusal(`expected ${what} to be ${expectation}, got ${formatValue(received)}`);
}

/** Makes the error for a wrong number: a RangeError, or a TypeError for a value that is not a number. */
export function invalidNumber(what: string, expectation: string, received: unknown): TypeError {
  return invalidArgument(what, expectation, received, typeof received === "number" ? RangeError : TypeError);
}

/**
 * Returns the number if it is whole and at least 1.
 *
 * @throws TypeError for a value that is not a number, RangeError for any other number.
 */
export function requireWholeNumber(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalidNumber(what, "a whole number from 1", value);
}

/**
 * Refuses anything that is not an object, and lists and maps, which would be read as an object without properties.
 *
 * @throws TypeError
 */
export function requireObject(what: string, value: unknown): void {
  if (typeof value !== "object" || !value || Symbol.iterator in value)
    throw invalidArgument(what, "an object", value);
}

/**
 * Refuses anything that is not a function.
 *
 * @throws TypeError
 */
export function requireFunction(what: string, value: unknown): void {
  if (typeof value !== "function") throw invalidArgument(what, "a function", value);
}

/**
 * Refuses anything that is not true or false.
 *
 * @throws TypeError
 */
export function requireBoolean(what: string, value: unknown): void {
  if (typeof value !== "boolean") throw invalidArgument(what, "a boolean", value);
}

/**
 * Refuses anything that is not one of the given texts, of which there are at least two.
 *
 * @throws TypeError that lists the texts.
 */
export function requireOneOf(what: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  const texts = allowed.map((text) => `"${text}"`);
  throw invalidArgument(what, `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`, value);
}

/**
 * Returns the text if it is a non-empty string.
 *
 * @throws TypeError
 */
export function requireText(what: string, value: unknown): string {
  if (value && typeof value === "string") return value;
  throw invalidArgument(what, "a non-empty string", value);
}

/**
 * Refuses options that do not exist, such as `{ runat }` instead of `{ runAt }`.
 *
 * @param what Names the options in the message, such as "a queue's options".
 * @throws TypeError that names the first unknown key and lists the known ones.
 */
export function requireKnownKeys(what: string, options: object, known: readonly string[]): void {
  requireObject(what, options);
  // Also inherited keys, such as those of an AbortSignal that was passed as the options. Programs may add keys to all objects.
  for (const key in options) {
    if (known.includes(key) || key in {}) continue;
    throw new TypeError(`unknown option ${formatValue(key)} in ${what}: expected \`${known.join("`, `")}\``);
  }
}

/**
 * Returns the job if it has a name and a `run` function.
 *
 * @throws TypeError
 */
export function requireJob<J extends { readonly name: string; readonly run: unknown }>(job: J): J {
  requireJobName(job);
  requireJobRun(job);
  return job;
}

/**
 * Returns the `run` function of a job.
 *
 * @throws TypeError if `run` is not a function.
 */
export function requireJobRun<Run>(job: { readonly name: string; readonly run: Run }): Run {
  const { run } = job;
  if (typeof run === "function") return run;
  const hint = propertyOf(job, "with") ? " (use `.with(payload)`)" : "";
  throw invalidArgument(`\`run\` of "${job.name}"${hint}`, "a function", run);
}

/**
 * Returns the name of a job.
 *
 * @throws TypeError if the name is empty or not a string.
 */
export function requireJobName(job: { readonly name: string }): string {
  return requireText("a job's `name`", job?.name);
}

/**
 * Returns the runner, or undefined if none was given.
 *
 * @throws TypeError if the runner lacks the method.
 */
export function requireRunner<R extends object>(
  runner: R | undefined,
  method: keyof R & string,
): R | undefined {
  if (runner !== undefined) requireFunction(`\`runner.${method}\``, runner?.[method]);
  return runner;
}

/** Node marks its own event targets with this symbol. Those of jsdom, happy-dom and polyfills have no listener limit. */
const isNodeTarget = Symbol.for("nodejs.event_target");

/**
 * Returns the caller's signal, or one that never aborts if there is none. Accepts any object with `aborted` and
 * `addEventListener`.
 *
 * Lifts the listener limit of Node's own signals. Every job that runs with a signal may add a listener, so many
 * listeners are no leak.
 *
 * @throws TypeError for anything else.
 */
export function requireSignal(signal: AbortSignal | undefined): AbortSignal {
  if (signal === undefined) return neverAbortedSignal();
  if (typeof signal?.aborted !== "boolean" || typeof signal.addEventListener !== "function") {
    throw invalidArgument("`signal`", "an AbortSignal", signal);
  }
  // Not by trying: an error that is thrown and caught costs more than the rest of an engine's delivery.
  if (propertyOf(propertyOf(signal, "constructor"), isNodeTarget)) setMaxListeners(0, signal);
  return signal;
}
