import { JobError } from "@nidus/jobs-core";
import type { AwaitedJob, JobEnd } from "../backend/job-end.ts";
import { NoResultError } from "../errors/errors.ts";
import { resultFrom } from "../job/result.ts";

type Over = Exclude<JobEnd, { readonly state: "pending" }>;

/** Whether a job has ended, or is not there. */
export function isOver(end: JobEnd): end is Over {
  return end.state !== "pending";
}

interface Waiter {
  readonly end: (end: Over) => void;
  readonly fail: (error: unknown) => void;
}

/** A job whose result callers wait for. */
export class AwaitedResult implements AwaitedJob {
  readonly id: string;
  /** Known once the store has found the job. */
  jobName: string | undefined;
  readonly #waiters = new Set<Waiter>();
  readonly #onUnused: () => void;

  constructor(id: string, onUnused: () => void) {
    this.id = id;
    this.#onUnused = onUnused;
  }

  /** Waits for the end. Resolves to a copy of the result, or rejects. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<unknown> {
    let stop = (): void => {};
    try {
      const end = await new Promise<Over>((resolve, reject) => {
        const waiter: Waiter = { end: resolve, fail: reject };
        const abort = (): void => reject(signal.reason);
        const late = (): void => {
          reject(new DOMException(`the job ${this.id} has not ended within ${timeoutMs} ms`, "TimeoutError"));
        };
        const timer = setTimeout(late, timeoutMs);
        signal.addEventListener("abort", abort, { once: true });
        this.#waiters.add(waiter);
        stop = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
          this.#waiters.delete(waiter);
        };
      });
      return this.#resultOf(end);
    } finally {
      stop();
      if (this.#waiters.size === 0) this.#onUnused();
    }
  }

  #resultOf(end: Over): unknown {
    if (end.state === "succeeded") return resultFrom(end.resultText);
    if (end.state === "dead-lettered") throw new JobError(end.error);
    throw new NoResultError(this.id, end.state);
  }

  end(end: Over): void {
    for (const waiter of this.#waiters) waiter.end(end);
    this.#onUnused();
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters) waiter.fail(error);
    this.#onUnused();
  }
}
