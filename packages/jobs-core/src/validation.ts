import { setMaxListeners } from "node:events";
import { neverAbortedSignal } from "./cancellation.ts";
import { propertyOf } from "./foreign.ts";

/**
 * `unknown` where a job's result is known not to be a promise, and a type that no job has where it may be one.
 * Intersected with a parameter's type, it lets the compiler refuse async work in a synchronous place.
 */
export type RefuseAsync<T> = 0 extends 1 & T
  ? unknown
  : [Extract<T, PromiseLike<unknown>>] extends [never]
    ? unknown
    : { readonly "this job returns a promise: it belongs in an AsyncJobQueue, or in runAsync()": never };

/** A short rendering of any value for a message; it never throws. */
export function formatValue(value: unknown): string {
  try {
    return (typeof value === "string" ? JSON.stringify(value) : String(value)).slice(0, 80);
  } catch {
    return "something";
  }
}

/** The error with which all of Nidus refuses a wrong argument: "expected `name` to be a string, got 7". */
export function invalidArgument(
  what: string,
  expectation: string,
  received: unknown,
  Refusal: new (message: string) => TypeError = TypeError,
): TypeError {
  return new Refusal(`expected ${what} to be ${expectation}, got ${formatValue(received)}`);
}

/**
 * The number itself, once it is known to be whole and at least 1.
 *
 * @throws TypeError for what is no number, RangeError for any other.
 */
export function requireWholeNumber(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalidArgument(
    what,
    "a whole number from 1",
    value,
    typeof value === "number" ? RangeError : TypeError,
  );
}

/**
 * Refuses anything that is not an object.
 *
 * @throws TypeError
 */
export function requireObject(what: string, value: unknown): void {
  if (typeof value !== "object" || !value) throw invalidArgument(what, "an object", value);
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
 * Refuses anything that is not one of at least two texts.
 *
 * @throws TypeError that lists the texts.
 */
export function requireOneOf(what: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  const texts = allowed.map((text) => `"${text}"`);
  throw invalidArgument(what, `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`, value);
}

/**
 * Returns the text, once it is known to be one that is not empty.
 *
 * @throws TypeError
 */
export function requireText(what: string, value: unknown): string {
  if (value && typeof value === "string") return value;
  throw invalidArgument(what, "a non-empty string", value);
}

/**
 * Refuses options that nothing reads, such as `{ runat }` in the place of `{ runAt }`.
 *
 * @param what names the options in the message, such as "a queue's options".
 * @throws TypeError that names the first unknown key and lists the known ones.
 */
export function requireKnownKeys(what: string, options: object, known: readonly string[]): void {
  requireObject(what, options);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new TypeError(`unknown option ${formatValue(key)} in ${what}: expected \`${known.join("`, `")}\``);
  }
}

/**
 * The job itself, once it is known to be one.
 *
 * @throws TypeError
 */
export function requireJob<J extends { readonly name: string; readonly run: unknown }>(job: J): J {
  const name = requireJobName(job);
  const { run } = job;
  if (typeof run === "function") return job;
  const hint = propertyOf(job, "with") ? " (it needs a payload: use `.with(payload)`)" : "";
  throw invalidArgument(`\`run\` of "${name}"${hint}`, "a function", run);
}

/**
 * The name of a job.
 *
 * @throws TypeError for a name that is no string or empty.
 */
export function requireJobName(job: { readonly name: string }): string {
  return requireText("a job's `name`", job?.name);
}

/**
 * A runner, or undefined where there is none.
 *
 * @throws TypeError if it has no such method.
 */
export function requireRunner<R extends object>(
  runner: R | undefined,
  method: keyof R & string,
): R | undefined {
  if (runner !== undefined) requireFunction(`\`runner.${method}\``, runner?.[method]);
  return runner;
}

/** By this, Node tells its own event targets from those of jsdom, happy-dom and polyfills, which have no listener limit. */
const isNodeTarget = Symbol.for("nodejs.event_target");

/**
 * The caller's signal, or one that never aborts if there is none. Any object with `aborted` and `addEventListener` is a signal.
 * One of Node's own gets its listener limit lifted: every job that runs with it may add a listener, so many of them are no
 * sign of a leak.
 *
 * @throws TypeError for anything else.
 */
export function requireSignal(signal: AbortSignal | undefined): AbortSignal {
  if (signal === undefined) return neverAbortedSignal();
  if (typeof signal?.aborted !== "boolean" || typeof signal.addEventListener !== "function") {
    throw invalidArgument("`signal`", "an AbortSignal", signal);
  }
  if (propertyOf(signal.constructor, isNodeTarget)) setMaxListeners(0, signal);
  return signal;
}
