import { JobError } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { Job } from "bullmq";
import { type WorkerOfJob, workerOf } from "../bullmq-internals/index.ts";
import { givenUpDeliveryOf } from "./processed-job.ts";
import { StalledAttempts } from "./stalled-attempts.ts";

/** An attempt whose processor has ended, before BullMQ has recorded the end. */
interface EndedAttempt {
  readonly delivery: JobDelivery;
  readonly error: JobError | undefined;
}

/** Tells observers of the outcomes that BullMQ's workers emit. Only the workers know whether a failure was the last. */
export class ProcessorOutcomes {
  readonly #runner: ObservedJobRunner;
  readonly #followed = new WeakSet<WorkerOfJob>();
  readonly #ended = new WeakMap<Job, EndedAttempt>();
  readonly #stalledAttempts = new StalledAttempts();

  constructor(runner: ObservedJobRunner) {
    this.#runner = runner;
  }

  /** Reports the attempt before this one if its worker died, and listens to the job's worker. */
  started(job: Job, delivery: JobDelivery): void {
    if (this.#stalledAttempts.isFollowedBy(job)) this.#settled(job, delivery, "stalled");
    const worker = workerOf(job);
    if (worker === undefined || this.#followed.has(worker)) return;
    this.#followed.add(worker);
    worker.on("completed", (ended) => ended && this.#tell(ended, "succeeded"));
    worker.on(
      "failed",
      (ended) => ended && this.#tell(ended, ended.finishedOn ? "dead-lettered" : "retried"),
    );
  }

  /** Waits for the worker to emit the outcome of a job whose processor has ended. Without a worker, tells observers `presumed`. */
  ended(job: Job, delivery: JobDelivery, presumed: SettledJobContext["outcome"], error?: JobError): void {
    if (workerOf(job) === undefined) this.#settled(job, delivery, presumed, error);
    else this.#ended.set(job, { delivery, error });
  }

  #tell(job: Job, outcome: SettledJobContext["outcome"]): void {
    const attempt = this.#ended.get(job);
    this.#ended.delete(job);
    if (attempt !== undefined) this.#settled(job, attempt.delivery, outcome, attempt.error);
    // BullMQ gives up a job that stalled too often, and does not call the processor.
    else if (outcome === "dead-lettered") {
      this.#settled(job, givenUpDeliveryOf(job), outcome, JobError.from(job.failedReason));
    }
  }

  #settled(job: Job, delivery: JobDelivery, outcome: SettledJobContext["outcome"], error?: JobError): void {
    this.#runner.settled({ jobName: job.name, delivery, outcome, error });
  }
}
