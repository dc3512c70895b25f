/** The backoff of every retry. The worker that ran the job decides on the delay, whichever program stored the job. */
const backoffType = "nidus";

/** The error with which BullMQ fails a job that runs again after a delay. Give the job its backoff as well. */
export class RetryLater extends Error {
  static readonly backoff: { readonly type: string } = { type: backoffType };
  readonly delayMs: number;

  constructor(message: string, delayMs: number) {
    super(message);
    this.delayMs = delayMs;
  }
}

/** Returns the delay of a retry, in milliseconds. BullMQ calls it for each job that fails with `RetryLater`. */
export function backoffStrategy(_attempts: number, type?: string, error?: Error): number {
  return type === backoffType && error instanceof RetryLater ? error.delayMs : 0;
}
