import { isObject, propertyOf } from "../foreign.ts";
import { sharedByCopies } from "../shared.ts";
import { formatValue } from "../validation.ts";

let errors: WeakMap<object, JobError> | undefined;

const brand = Symbol.for("@nidus/jobs-core/job-error");

/**
 * What a job failed with, in a uniform shape: always an `Error`, with a usable message, the stable `code`
 * and whatever was thrown as `cause`.
 */
export class JobError extends Error {
  /** Stable across versions: `"NIDUS_JOB_FAILED"`, unless a subclass says more. */
  readonly code: string = "NIDUS_JOB_FAILED";

  static {
    // On the prototype, as the names of JavaScript's own errors are.
    JobError.prototype.name = "JobError";
    Object.defineProperty(JobError.prototype, brand, { value: brand });
  }

  /**
   * Turns anything that was thrown into a `JobError`: one stays itself, anything else becomes the `cause` of one with the same
   * message if it has a message. The same object always leads to the same `JobError`. It never throws, whatever getters or
   * proxies it is given.
   */
  static from(thrown: unknown): JobError {
    if (JobError.isInstance(thrown)) return thrown;
    if (!isObject(thrown)) return withoutFrames(thrown);
    errors ??= sharedByCopies("jobs-core/job-errors", () => new WeakMap());
    const error = errors.get(thrown) ?? withoutFrames(thrown);
    errors.set(thrown, error);
    return error;
  }

  /** Tells a `JobError` from anything else, also one of another copy of this package or of another realm. It never throws. */
  static isInstance(value: unknown): value is JobError {
    return isObject(value) && propertyOf(value, brand) === brand;
  }

  /** Returns the name, message and code for `JSON.stringify`. The stack and the cause stay out. */
  toJSON(): { readonly name: string; readonly message: string; readonly code: string } {
    const { name, message, code } = this;
    return { name, message, code };
  }
}

/** The frames of a stack are most of an error's cost, and those of the cause say where the job failed. */
function withoutFrames(thrown: unknown): JobError {
  const { stackTraceLimit } = Error;
  // Where intrinsics are frozen, this has no effect.
  Reflect.set(Error, "stackTraceLimit", 0);
  const error = new JobError(messageOf(thrown), { cause: thrown });
  Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  return error;
}

function messageOf(thrown: unknown): string {
  const message = typeof thrown === "object" ? propertyOf(thrown, "message") : thrown;
  return message && typeof message === "string" ? message : `the job threw ${formatValue(thrown)}`;
}
