import { propertyOf } from "../foreign.ts";
import { sharedByCopies } from "../shared.ts";
import { formatValue } from "../validation.ts";

const brand = Symbol.for("@nidus/job-error");

/** The error of a failed job. It always has a usable message, the stable `code`, and the thrown value as `cause`. */
export class JobError extends Error {
  /** Stable across versions: `"NIDUS_JOB_FAILED"`, unless a subclass sets another code. */
  readonly code: string = "NIDUS_JOB_FAILED";

  static {
    // On the prototype, like the names of JavaScript's own errors.
    Object.assign(JobError.prototype, { name: "JobError", [brand]: brand });
  }

  /**
   * Turns any thrown value into a `JobError`. A `JobError` is returned as it is. Any other value becomes the `cause` of
   * a `JobError` with the same message, if it has one. The same object always gives the same `JobError`. Never throws,
   * even for hostile getters and proxies.
   */
  static from(thrown: unknown): JobError {
    if (JobError.isInstance(thrown)) return thrown;
    const errors = sharedByCopies("job-errors", () => new WeakMap<object, JobError>());
    const error = errors.get(thrown as object) ?? withoutFrames(thrown);
    if (Object(thrown) === thrown) errors.set(thrown as object, error);
    return error;
  }

  /** Tells whether a value is a `JobError`, also of another copy of this package or of another realm. Never throws. */
  static isInstance(value: unknown): value is JobError {
    return propertyOf(value, brand) === brand;
  }

  /** Returns the name, message and code for `JSON.stringify`, without the stack and the cause. */
  toJSON(): { readonly name: string; readonly message: string; readonly code: string } {
    const { name, message, code } = this;
    return { name, message, code };
  }
}

/** Makes a JobError without stack frames: they are most of an error's cost, and the cause's frames say where the job failed. */
function withoutFrames(thrown: unknown): JobError {
  const message = propertyOf(thrown, "message") ?? thrown;
  const hasText = message && typeof message === "string";
  const { stackTraceLimit } = Error;
  // Has no effect if intrinsics are frozen.
  Reflect.set(Error, "stackTraceLimit", 0);
  const error = new JobError(hasText ? message : `the job threw ${formatValue(thrown)}`, { cause: thrown });
  Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  return error;
}
