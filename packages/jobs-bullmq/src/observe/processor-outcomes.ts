import { JobError } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { Job } from "bullmq";
import { type WorkerOfJob, workerOf } from "../bullmq-internals/index.ts";
import { givenUpDeliveryOf } from "./processed-job.ts";
import { StalledAttempts } from "./stalled-attempts.ts";

/** An attempt whose processor has ended, before BullMQ has recorded the end. */
interface EndedAttempt {
  /** The name under which the job is observed. */
  readonly name: string;
  readonly delivery: JobDelivery;
  readonly error: JobError | undefined;
}

/** Tells observers of the outcomes that BullMQ's workers emit. Only the workers know whether a failure was the last. */
export class ProcessorOutcomes<J extends Job> {
  readonly #runner: ObservedJobRunner;
  readonly #nameOf: (job: J) => string;
  readonly #followed = new WeakSet<WorkerOfJob>();
  readonly #ended = new WeakMap<Job, EndedAttempt>();
  readonly #stalledAttempts = new StalledAttempts();

  constructor(runner: ObservedJobRunner, nameOf: (job: J) => string) {
    this.#runner = runner;
    this.#nameOf = nameOf;
  }

  /** Reports the attempt before this one if its worker died, and listens to the job's worker. */
  started(job: J, name: string, delivery: JobDelivery): void {
    if (this.#stalledAttempts.isFollowedBy(job))
      this.#settled({ name, delivery, error: undefined }, "stalled");
    const worker = workerOf(job);
    if (worker === undefined || this.#followed.has(worker)) return;
    this.#followed.add(worker);
    worker.on("completed", (ended) => ended && this.#tell(ended as J, "succeeded"));
    worker.on(
      "failed",
      (ended) => ended && this.#tell(ended as J, ended.finishedOn ? "dead-lettered" : "retried"),
    );
  }

  /** Waits for the worker to emit the outcome of a job whose processor has ended. Without a worker, tells observers `presumed`. */
  ended(job: J, attempt: EndedAttempt, presumed: SettledJobContext["outcome"]): void {
    if (workerOf(job) === undefined) this.#settled(attempt, presumed);
    else this.#ended.set(job, attempt);
  }

  #tell(job: J, outcome: SettledJobContext["outcome"]): void {
    const attempt = this.#ended.get(job);
    this.#ended.delete(job);
    if (attempt !== undefined) this.#settled(attempt, outcome);
    // BullMQ gives up a job that stalled too often, and does not call the processor.
    else if (outcome === "dead-lettered") {
      const error = JobError.from(job.failedReason);
      this.#settled({ name: this.#nameOf(job), delivery: givenUpDeliveryOf(job), error }, outcome);
    }
  }

  #settled({ name, delivery, error }: EndedAttempt, outcome: SettledJobContext["outcome"]): void {
    this.#runner.settled({ jobName: name, delivery, outcome, error });
  }
}
