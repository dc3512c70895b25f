import { JobError } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import { followsStalled, type HandledJob, hasMetadata } from "./handled-job.ts";

/** Tells observers once how pg-boss ends a job whose handler has ended or took too long. */
export class HandlerOutcome {
  readonly #runner: ObservedJobRunner;
  readonly #job: HandledJob;
  /** The name under which the job is observed. */
  readonly #name: string;
  readonly #delivery: JobDelivery;
  #isSettled = false;

  constructor(runner: ObservedJobRunner, job: HandledJob, name: string, delivery: JobDelivery) {
    this.#runner = runner;
    this.#job = job;
    this.#name = name;
    this.#delivery = delivery;
    if (followsStalled(job)) {
      const attempt = Math.max(1, delivery.attempt - 1);
      runner.settled({
        jobName: name,
        delivery: { ...delivery, attempt },
        outcome: "stalled",
        error: undefined,
      });
    }
  }

  succeeded(): void {
    this.#settle("succeeded");
  }

  /** Tells observers of a failure. Without metadata it does nothing, since the number of attempts is unknown. */
  failed(thrown: unknown, isFinal: boolean): void {
    const { attempt, maxAttempts } = this.#delivery;
    const outcome = isFinal || attempt >= maxAttempts ? "dead-lettered" : "retried";
    if (hasMetadata(this.#job)) this.#settle(outcome, JobError.from(thrown));
  }

  #settle(outcome: SettledJobContext["outcome"], error?: JobError): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#runner.settled({ jobName: this.#name, delivery: this.#delivery, outcome, error });
  }
}
