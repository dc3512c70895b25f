import { type Job, UnrecoverableError } from "bullmq";
import { returnValueOf } from "./job-ends.ts";

/** The error with which BullMQ fails a job that runs again. */
class RetryLater extends Error {
  readonly delayMs: number;

  constructor(message: string, delayMs: number) {
    super(message);
    this.delayMs = delayMs;
  }
}

/** The backoff of every retry. The worker that ran the job decides on the delay, whichever program stored the job. */
const backoffType = "nidus";

/** Returns the delay of a retry, in milliseconds. BullMQ calls it for each job that `retryJob` fails. */
export function backoffStrategy(_attempts: number, type?: string, error?: Error): number {
  return type === backoffType && error instanceof RetryLater ? error.delayMs : 0;
}

/** Fails a job so that it runs again after a delay. Resolves to BullMQ's answer, with a next job if `wantsNext`. */
export function retryJob(
  job: Job,
  token: string,
  { error, delayMs }: { readonly error: string; readonly delayMs: number },
  wantsNext: boolean,
): Promise<unknown> {
  job.opts.backoff = { type: backoffType };
  return job.moveToFailed(new RetryLater(error, delayMs), token, wantsNext);
}

/** Delays a job that is running, without an attempt spent. BullMQ brings no next job with its answer. */
export function snoozeJob(job: Job, token: string, delayMs: number): Promise<void> {
  return job.moveToDelayed(Date.now() + delayMs, token);
}

/** Fails a job for ever. Resolves to BullMQ's answer, with a next job if `wantsNext`. */
export function failJob(job: Job, token: string, error: string, wantsNext: boolean): Promise<unknown> {
  return job.moveToFailed(new UnrecoverableError(error), token, wantsNext);
}

/** Removes a job that is running. Resolves to BullMQ's answer, with a next job if `wantsNext`. */
export function removeJob(job: Job, token: string, reason: string, wantsNext: boolean): Promise<unknown> {
  job.opts.removeOnFail = true;
  return failJob(job, token, reason, wantsNext);
}

/** Completes a job. Resolves to BullMQ's answer, with a next job if `wantsNext`. */
export function completeJob(
  job: Job,
  token: string,
  resultText: string | undefined,
  wantsNext: boolean,
): Promise<unknown> {
  return job.moveToCompleted(returnValueOf(resultText), token, wantsNext);
}
