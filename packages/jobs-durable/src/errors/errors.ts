import { isNativeError } from "node:util/types";
import { JobError } from "@nidus/jobs-core";
import { formatValue } from "@nidus/jobs-core/adapter";
import type { EnqueuedJob } from "./enqueued-job.ts";
import { messageOf } from "./error-text.ts";

/** Whether an error has this code, also one of another realm or of another copy of this package. It never throws. */
function hasCode(value: unknown, code: string): boolean {
  try {
    return isNativeError(value) && (value as { code?: unknown }).code === code;
  } catch {
    return false;
  }
}

/** Thrown by a handler that knows that no further attempt will help: the job goes straight to the dead letters. */
export class PermanentJobError extends JobError {
  /** The same in every version. */
  override readonly code: string = "NIDUS_JOB_FAILED_PERMANENTLY";

  static {
    PermanentJobError.prototype.name = "PermanentJobError";
  }

  /** Whether a value is such an error, also one of another installed copy of this package. It never throws. */
  static override isInstance(value: unknown): value is PermanentJobError {
    return hasCode(value, "NIDUS_JOB_FAILED_PERMANENTLY");
  }
}

/** A payload that was refused when it was handed over: it does not fit its schema, or JSON would not bring it back as it is. */
export class PayloadError extends TypeError {
  /** The same in every version. */
  readonly code: string = "NIDUS_PAYLOAD_REFUSED";

  static {
    PayloadError.prototype.name = "PayloadError";
  }

  /** Whether a value is such an error, also one of another installed copy of this package. It never throws. */
  static isInstance(value: unknown): value is PayloadError {
    return hasCode(value, "NIDUS_PAYLOAD_REFUSED");
  }
}

/** There is no result to wait for: the job was cancelled, is unknown, or is no longer retained. */
export class NoResultError extends Error {
  /** The same in every version. */
  readonly code: string = "NIDUS_NO_RESULT";

  static {
    NoResultError.prototype.name = "NoResultError";
  }

  constructor(jobId: string, why: "cancelled" | "unknown") {
    const id = formatValue(jobId);
    super(
      why === "cancelled"
        ? `the job ${id} was cancelled`
        : `there is no job with the id ${id}, or it is no longer retained`,
    );
  }

  /** Whether a value is such an error, also one of another installed copy of this package. It never throws. */
  static isInstance(value: unknown): value is NoResultError {
    return hasCode(value, "NIDUS_NO_RESULT");
  }
}

/** An engine was asked for something that its `capabilities` say it does not have. */
export class UnsupportedError extends Error {
  /** The same in every version. */
  readonly code: string = "NIDUS_UNSUPPORTED";

  static {
    UnsupportedError.prototype.name = "UnsupportedError";
  }

  /** Whether a value is such an error, also one of another installed copy of this package. It never throws. */
  static isInstance(value: unknown): value is UnsupportedError {
    return hasCode(value, "NIDUS_UNSUPPORTED");
  }
}

/**
 * Says that an engine's server is unreachable: it refused the connection, broke it, or gave no answer in time. The operation may still
 * have been applied, so give an enqueue that you repeat an idempotency key.
 */
export class EngineUnavailableError extends Error {
  /** The same in every version. */
  readonly code: string = "NIDUS_ENGINE_UNAVAILABLE";

  static {
    EngineUnavailableError.prototype.name = "EngineUnavailableError";
  }

  /** Whether a value is such an error, also one of another installed copy of this package. It never throws. */
  static isInstance(value: unknown): value is EngineUnavailableError {
    return hasCode(value, "NIDUS_ENGINE_UNAVAILABLE");
  }
}

/**
 * `enqueueMany` stored some of its jobs, and then failed with `cause`. If `cause` is an EngineUnavailableError, it is not known of
 * up to 500 further jobs whether they were stored. Repeat the whole call if it has an `idempotencyKey`: what is there is not
 * stored again.
 */
export class EnqueuedInPartError extends Error {
  /** The same in every version. */
  readonly code: string = "NIDUS_ENQUEUED_IN_PART";
  readonly #jobs: readonly (EnqueuedJob | undefined)[];

  static {
    EnqueuedInPartError.prototype.name = "EnqueuedInPartError";
  }

  constructor(jobs: readonly (EnqueuedJob | undefined)[], cause: unknown) {
    const stored = jobs.filter((job) => job !== undefined).length;
    super(`${stored} of ${jobs.length} jobs were stored, then: ${messageOf(cause)}`, { cause });
    this.#jobs = jobs;
  }

  /** One element per payload, in their order: the job, or undefined if it is not known to be stored. */
  get jobs(): readonly (EnqueuedJob | undefined)[] {
    return this.#jobs;
  }

  /** Whether a value is such an error, also one of another installed copy of this package. It never throws. */
  static isInstance(value: unknown): value is EnqueuedInPartError {
    return hasCode(value, "NIDUS_ENQUEUED_IN_PART");
  }
}
