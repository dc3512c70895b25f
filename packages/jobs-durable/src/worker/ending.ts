import { JobError } from "@nidus/jobs-core";
import type { SettledJobContext } from "@nidus/jobs-observe";
import type { Settlement } from "../backend/job-backend.ts";
import { storableMessage } from "../storable.ts";

/** How a delivery ended: what the engine is to record, and what observers are told once it has. */
export interface Ending {
  readonly settlement: Settlement;
  /** Undefined for what was handed back: that delivery has not ended. */
  readonly outcome: Exclude<SettledJobContext["outcome"], "lost" | "stalled"> | undefined;
  readonly error: JobError | undefined;
}

export const succeeded: Ending = {
  settlement: { type: "succeeded" },
  outcome: "succeeded",
  error: undefined,
};

/** A job that goes back as it came. */
export const handedBack: Ending = {
  settlement: { type: "handed-back" },
  outcome: undefined,
  error: undefined,
};

/** A job that a caller has cancelled; with an error, after its handler had begun. */
export function cancelled(error: JobError | undefined): Ending {
  return { settlement: { type: "cancelled" }, outcome: "cancelled", error };
}

export function retried(error: JobError, delayMs: number): Ending {
  return {
    settlement: { type: "retried", delayMs, error: storableMessage(error) },
    outcome: "retried",
    error,
  };
}

export function deadLettered(error: JobError): Ending {
  return {
    settlement: { type: "dead-lettered", error: storableMessage(error) },
    outcome: "dead-lettered",
    error,
  };
}

/** A job whose last attempt has no recorded end. Nothing in the store says how far that attempt came. */
export function givenUp(maxAttempts: number): Ending {
  const attempt = maxAttempts === 1 ? "its only attempt" : `attempt ${maxAttempts} of ${maxAttempts}`;
  return deadLettered(
    new JobError(
      `given up: the end of ${attempt} was never recorded: its worker died or lost its lease, or the delivery was lost on its way`,
    ),
  );
}
