import { JobError } from "@nidus/jobs-core";
import type { JobDelivery } from "@nidus/jobs-observe";
import { carrierFrom } from "../backend/carrier.ts";
import type { LeasedJob } from "../backend/job-backend.ts";
import type { JobOutcome } from "../backend/job-outcome.ts";
import { PermanentJobError } from "../errors/errors.ts";
import { type BackoffFunction, type JobBackoff, retryDelayMs } from "../job/backoff.ts";
import { storableMessage } from "../job/storable.ts";

/** How an execution ended: the outcome for the engine to record, and the error that observers are told with it. */
export interface ExecutionEnd {
  readonly outcome: JobOutcome;
  readonly error: JobError | undefined;
}

/**
 * How far an execution has come. An execution waits, runs, has ended, is settling while the engine records its end, and is
 * settled once the engine has answered. A worker that stops abandons an execution that it cannot wait for.
 */
export type ExecutionState =
  | {
      readonly phase: "waiting" | "running";
      /** Why its handler is to end: a caller has cancelled the job, or the worker stops. */
      readonly stop: "cancelled" | "interrupted" | undefined;
    }
  | {
      readonly phase: "ended" | "settling" | "abandoned";
      readonly end: ExecutionEnd;
      /** Whether its handler was called, in this execution or in the adopted one. */
      readonly hasRun: boolean;
    }
  | {
      readonly phase: "settled";
      readonly end: ExecutionEnd;
      readonly hasRun: boolean;
      /** Whether the engine has recorded its end, or refused to. */
      readonly isRecorded: boolean;
    };

/** The phases of an execution whose handler has not ended yet. */
export type UnendedState = Extract<ExecutionState, { readonly stop: unknown }>;

/** Tells whether the handler of an execution has not ended yet. */
export function isUnended(state: ExecutionState): state is UnendedState {
  return state.phase === "waiting" || state.phase === "running";
}

/** The handler ended well, without a result. */
export const succeeded: ExecutionEnd = { outcome: { type: "succeeded" }, error: undefined };

/** The handler succeeded, and the store keeps its result. */
export function succeededWith(resultText: string | undefined): ExecutionEnd {
  return resultText === undefined
    ? succeeded
    : { outcome: { type: "succeeded", resultText }, error: undefined };
}

/** The job goes back as it came. */
export const released: ExecutionEnd = { outcome: { type: "released" }, error: undefined };

/** A caller has cancelled the job; with an error, after its handler had begun. */
export function cancelled(error: JobError | undefined): ExecutionEnd {
  return { outcome: { type: "cancelled" }, error };
}

/** The handler failed, and the job is tried again. `written` are the headers that observers wrote for the next run. */
export function retried(error: JobError, delayMs: number, written?: Headers): ExecutionEnd {
  const outcome = { type: "retried", delayMs, error: storableMessage(error), ...carrierOf(written) } as const;
  return { outcome, error };
}

/** The handler has asked to run again later. `written` are the headers that observers wrote for the next run. */
export function snoozed(delayMs: number, written?: Headers): ExecutionEnd {
  return { outcome: { type: "snoozed", delayMs, ...carrierOf(written) }, error: undefined };
}

type Headers = Readonly<Record<string, string>>;

function carrierOf(written: Headers | undefined): { readonly carrier?: Headers } {
  const carrier = carrierFrom(written);
  return carrier === undefined ? {} : { carrier };
}

/** The handler failed for the last time. */
export function deadLettered(error: JobError): ExecutionEnd {
  return { outcome: { type: "dead-lettered", error: storableMessage(error) }, error };
}

/** Whether a cancellation that comes before the record replaces the end. */
export function isCancellable({ outcome }: ExecutionEnd): boolean {
  return comesAgain(outcome) || outcome.type === "dead-lettered";
}

/** Whether the job comes again after its own delay. */
export function comesAgain({ type }: JobOutcome): boolean {
  return type === "retried" || type === "snoozed";
}

/** The delivery of a job, and why its handler is to end. An execution is one. */
interface Delivered {
  readonly job: LeasedJob;
  readonly delivery: JobDelivery;
  readonly stopReason: "cancelled" | "interrupted" | undefined;
}

/** Returns how the job ends without a run of its handler. Returns undefined if the handler has to run. */
export function endWithoutRun({ job, delivery, stopReason }: Delivered): ExecutionEnd | undefined {
  if (stopReason === "cancelled") return cancelled(undefined);
  if (job.unreadable !== undefined) return deadLettered(new JobError(job.unreadable));
  const { attempt, maxAttempts } = delivery;
  return attempt > maxAttempts ? givenUp(maxAttempts) : undefined;
}

/**
 * Decides how the job ends after a failure. `ownBackoff` is that of its definition. `written` are the headers that observers of the failed
 * run wrote for the next attempt.
 */
export function endAfterFailure(
  { job, delivery, stopReason }: Delivered,
  error: JobError,
  ownBackoff: JobBackoff | BackoffFunction,
  written: Headers | undefined,
  onError: (error: unknown) => void,
): ExecutionEnd {
  if (stopReason === "cancelled") return cancelled(error);
  if (stopReason === "interrupted") return released;
  const { attempt, maxAttempts } = delivery;
  if (attempt >= maxAttempts || PermanentJobError.isInstance(error)) return deadLettered(error);
  const backoff = job.envelope.backoff ?? ownBackoff;
  return retried(error, retryDelayMs(backoff, attempt, error, onError), written);
}

/** A job whose last attempt has no recorded end. Nothing in the store says how far that attempt came. */
function givenUp(maxAttempts: number): ExecutionEnd {
  const attempt = maxAttempts === 1 ? "its only attempt" : `attempt ${maxAttempts} of ${maxAttempts}`;
  return deadLettered(
    new JobError(
      `given up: the end of ${attempt} was never recorded: its worker died or lost its lease, or the delivery was lost on its way`,
    ),
  );
}
