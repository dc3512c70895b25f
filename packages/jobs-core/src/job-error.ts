import { describe } from "./validation.ts";

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
  }

  /**
   * Anything that can be thrown, as a `JobError`: one stays itself, anything else becomes the `cause` of a new one
   * with the same message where it has one. It never throws, whatever getters or proxies it is given.
   */
  static from(thrown: unknown): JobError {
    return JobError.isInstance(thrown) ? thrown : new JobError(messageOf(thrown), { cause: thrown });
  }

  /** Whether a value is a `JobError`, also one of another installed copy of this package: their codes begin alike. */
  static isInstance(value: unknown): value is JobError {
    try {
      const { code } = value as JobError;
      return value instanceof JobError || (value instanceof Error && code.startsWith("NIDUS_JOB"));
    } catch {
      return false;
    }
  }
}

function messageOf(thrown: unknown): string {
  try {
    const message = typeof thrown === "object" ? (thrown as Error).message : thrown;
    if (message && typeof message === "string") return message;
  } catch {
    // There is none, or its getter throws.
  }
  return `the job threw ${describe(thrown)}`;
}
