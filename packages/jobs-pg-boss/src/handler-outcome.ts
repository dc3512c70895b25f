import { JobError } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import { followsStalled, type HandledJob, hasMetadata } from "./handled-job.ts";

/** Tells observers, once, what pg-boss makes of a job whose handler ended or took too long. */
export class HandlerOutcome {
  readonly #runner: ObservedJobRunner;
  readonly #job: HandledJob;
  readonly #delivery: JobDelivery;
  #isTold = false;

  constructor(runner: ObservedJobRunner, job: HandledJob, delivery: JobDelivery) {
    this.#runner = runner;
    this.#job = job;
    this.#delivery = delivery;
    if (followsStalled(job)) {
      const attempt = Math.max(1, delivery.attempt - 1);
      runner.settled({
        jobName: job.name,
        delivery: { ...delivery, attempt },
        outcome: "stalled",
        error: undefined,
      });
    }
  }

  succeeded(): void {
    this.#tell("succeeded");
  }

  /** Without metadata, the attempts are not known: nothing is told. */
  failed(thrown: unknown, isFinal: boolean): void {
    const { attempt, maxAttempts } = this.#delivery;
    const outcome = isFinal || attempt >= maxAttempts ? "dead-lettered" : "retried";
    if (hasMetadata(this.#job)) this.#tell(outcome, JobError.from(thrown));
  }

  #tell(outcome: SettledJobContext["outcome"], error?: JobError): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#runner.settled({ jobName: this.#job.name, delivery: this.#delivery, outcome, error });
  }
}
