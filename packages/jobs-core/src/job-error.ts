import { describe } from "./validation.ts";

/** In the global symbol registry, so that copies of this package recognise each other's errors. */
const brand = Symbol.for("nidus.JobError");

/**
 * What a job failed with, in a uniform shape: always an `Error`, with a usable message, the stable `code`
 * and whatever was thrown as `cause`.
 */
export class JobError extends Error {
  /** Stable across versions: `"NIDUS_JOB_FAILED"`, unless a subclass says more. */
  readonly code: string = "NIDUS_JOB_FAILED";

  static {
    Object.defineProperties(JobError.prototype, {
      name: { value: "JobError", writable: true, configurable: true },
      [brand]: { value: true },
    });
  }

  /**
   * Anything that can be thrown, as a `JobError`: one stays itself, anything else becomes the `cause` of a new one
   * with the same message where it has one. It never throws, whatever getters or proxies it is given.
   */
  static from(thrown: unknown): JobError {
    return JobError.isInstance(thrown) ? thrown : new JobError(messageOf(thrown), { cause: thrown });
  }

  /** Whether a value is a `JobError`, also one made by another installed copy of this package. */
  static isInstance(value: unknown): value is JobError {
    try {
      const { [brand]: isBranded, message, code } = value as Record<string | symbol, unknown>;
      return (
        value instanceof Error &&
        isBranded === true &&
        typeof message === "string" &&
        typeof code === "string"
      );
    } catch {
      return false;
    }
  }
}

function messageOf(thrown: unknown): string {
  try {
    if (typeof thrown === "string" && thrown !== "") return thrown;
    if (typeof thrown === "object" && thrown !== null) {
      const { message } = thrown as { message?: unknown };
      if (typeof message === "string" && message !== "") return message;
      if (thrown instanceof Error) return `the job threw ${thrown.name || "an error"} without a message`;
    }
  } catch {
    // Its getters throw: describe it from the outside.
  }
  return `the job threw ${describe(thrown)}`;
}
