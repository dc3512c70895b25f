import { setMaxListeners } from "node:events";

/**
 * `unknown` where a job's result is known not to be a promise, and a type that no job has where it may be one.
 * Intersected with a parameter's type, it lets the compiler refuse async work in a synchronous place.
 */
export type RefuseAsync<T> = 0 extends 1 & T
  ? unknown
  : [Extract<T, PromiseLike<unknown>>] extends [never]
    ? unknown
    : { readonly "this job returns a promise: it belongs in an AsyncJobQueue, or in runAsync()": never };

/** A short rendering of any value for an error message; it never throws. */
export function describe(value: unknown): string {
  try {
    if (typeof value === "string")
      return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "function") return `function ${value.name || "(anonymous)"}`;
    if (typeof value !== "object" || value === null) return String(value);
    if (Array.isArray(value)) return `an array of ${value.length}`;
    return `an object of class ${value.constructor?.name ?? "(none)"}`;
  } catch {
    return "a value that cannot be described";
  }
}

/**
 * The job itself, once it is known to be one.
 *
 * @throws TypeError that names `where`, the expectation and the value received.
 */
export function requireJob<J extends { readonly name: string; readonly run: unknown }>(
  job: J,
  where: string,
): J {
  if (typeof job !== "object" && typeof job !== "function") {
    throw new TypeError(`${where}: expected a job with \`name\` and \`run\`, got ${describe(job)}`);
  }
  if (job === null) throw new TypeError(`${where}: expected a job with \`name\` and \`run\`, got null`);
  const { name, run } = job;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `${where}: expected the job's \`name\` to be a non-empty string, got ${describe(name)}`,
    );
  }
  if (typeof run !== "function") {
    throw new TypeError(
      `${where}: expected \`run\` of the job "${name}" to be a function, got ${describe(run)}`,
    );
  }
  return job;
}

/**
 * A runner, or undefined where there is none.
 *
 * @throws TypeError if it has no such method.
 */
export function requireRunner<R extends object>(
  runner: R | undefined,
  method: keyof R & string,
  where: string,
): R | undefined {
  if (runner === undefined || typeof runner?.[method] === "function") return runner;
  throw new TypeError(
    `${where}: expected \`runner\` to have a \`${method}\` method, got ${describe(runner)}`,
  );
}

/**
 * A concurrency, 1 where none was given.
 *
 * @throws TypeError for what is no number, RangeError for a number that is neither whole and at least 1 nor Infinity.
 */
export function requireConcurrency(concurrency: number | undefined, where: string): number {
  if (concurrency === undefined) return 1;
  const expected = `${where}: expected \`concurrency\` to be a whole number from 1, or Infinity`;
  if (typeof concurrency !== "number") throw new TypeError(`${expected}, got ${describe(concurrency)}`);
  if ((!Number.isInteger(concurrency) && concurrency !== Number.POSITIVE_INFINITY) || concurrency < 1) {
    throw new RangeError(`${expected}, got ${concurrency}`);
  }
  return concurrency;
}

/**
 * An AbortSignal, or undefined where there is none. Its listener limit is lifted: every job that runs with it may add a
 * listener, so many of them are no sign of a leak.
 *
 * @throws TypeError for anything else.
 */
export function requireSignal(signal: AbortSignal | undefined, where: string): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  if (typeof signal?.aborted === "boolean" && typeof signal.addEventListener === "function") {
    setMaxListeners(0, signal);
    return signal;
  }
  throw new TypeError(`${where}: expected \`signal\` to be an AbortSignal, got ${describe(signal)}`);
}
