import { setTimeout as pause } from "node:timers/promises";
import type { ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { JobConsumer, LeasedJob, SettleResult } from "../backend/job-backend.ts";
import { backoffMs, outage } from "../job/backoff.ts";
import { cancelled, type ExecutionEnd, released } from "./execution-end.ts";
import type { JobExecution } from "./job-execution.ts";
import type { WorkerReport } from "./job-worker.ts";
import type { KnownExecutions } from "./known-executions.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";

/** What a settler needs of its worker. */
export interface SettlerSetUp<Job extends LeasedJob> {
  readonly consumer: JobConsumer<Job>;
  readonly runner: ObservedJobRunner;
  readonly known: KnownExecutions<Job>;
  readonly leases: LeaseKeeper<Job>;
  readonly counts: { -readonly [Count in keyof WorkerReport]: number };
  /** Aborted when the worker begins to stop: no further jobs are wanted then. */
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Has the engine record how deliveries ended, and tells the observers what came of it. */
export class Settler<Job extends LeasedJob> {
  readonly #setUp: SettlerSetUp<Job>;
  #isOver = false;

  constructor(setUp: SettlerSetUp<Job>) {
    this.#setUp = setUp;
  }

  /** Ends what is still being repeated. */
  stop(): void {
    this.#isOver = true;
  }

  /**
   * Records the end of a delivery, and resolves to a further job that came with the answer. It is repeated for as long as the
   * server is away: the job has run, and must not run again for want of a record. A refusal is final.
   */
  async settle(execution: JobExecution<Job>): Promise<Job | undefined> {
    const { consumer, leases, stopping, onError } = this.#setUp;
    // A failure is not to be tried again, nor kept, where another process has cancelled the job since the last look.
    if (execution.hasFailed) await leases.cancelRequested();
    for (let failures = 1; ; failures++) {
      if (execution.supersededBy !== undefined) this.#tellSuperseded(execution, execution.supersededBy);
      if (execution.isOver || this.#isOver) return undefined;
      const ending = execution.ending as ExecutionEnd;
      execution.isSettling = true;
      let settled: SettleResult & { readonly next?: Job | undefined };
      try {
        // A worker that stops wants no further job.
        settled =
          consumer.settleAndFetch === undefined || stopping.aborted
            ? await consumer.settle(execution.job, ending.outcome)
            : await consumer.settleAndFetch(execution.job, ending.outcome);
      } catch (thrown) {
        onError(thrown);
        await pause(backoffMs(outage, failures));
        continue;
      }
      this.#tellSettled(execution, ending, settled);
      return settled.next;
    }
  }

  /** Gives up a delivery that the worker cannot wait for: releases the job, unless its handler has ended. */
  async abandon(execution: JobExecution<Job>): Promise<void> {
    const { consumer, counts } = this.#setUp;
    execution.isAbandoned = true;
    // What has run already, and could not be recorded so far, is not to run again.
    const ending = execution.ending ?? released;
    if (execution.ending === undefined) counts.abandoned++;
    this.#tellSettled(execution, ending, await consumer.settle(execution.job, ending.outcome));
  }

  /** Tells of the attempt before, if its worker died or lost its lease. */
  tellStalled({ job, description }: JobExecution<Job>): void {
    const { attempt } = description;
    if (!job.followsStalled || attempt === 1) return;
    const before = Object.freeze({ ...description, attempt: attempt - 1 });
    this.#setUp.runner.settled({
      jobName: job.name,
      delivery: before,
      outcome: "stalled",
      error: undefined,
    });
  }

  /** Counts what the engine has recorded or refused, and tells the observers. */
  #tellSettled(
    execution: JobExecution<Job>,
    ending: ExecutionEnd,
    { isRecorded, isCancelled }: SettleResult,
  ): void {
    if (!isRecorded) {
      this.#tellLost(execution, ending);
      return;
    }
    execution.isRecorded = true;
    // Of two deliveries that end with one handler, the store should record one: if it says so of both, the first has told of it.
    const { adopted, supersededBy } = execution;
    if (adopted?.isRecorded || (supersededBy?.adopted === execution && supersededBy.isRecorded)) return;
    const { outcome, error } = isCancelled ? cancelled(ending.error) : ending;
    if (outcome.type === "released") return;
    this.#setUp.counts[outcome.type === "dead-lettered" ? "deadLettered" : outcome.type]++;
    this.#tell(execution, outcome.type, error);
  }

  #tellLost(execution: JobExecution<Job>, { outcome, error }: ExecutionEnd): void {
    if (!execution.hasRun || outcome.type === "released") return;
    if (outcome.type === "succeeded") this.#setUp.known.keepInMind(execution);
    this.#tell(execution, "lost", error);
  }

  /**
   * The job came again before it was known whether its outcome had been recorded. A retry had been recorded, and only the answer was
   * lost, unless the store says that the attempt stalled. All other endings are those of the delivery that came.
   */
  #tellSuperseded(execution: JobExecution<Job>, { adopted, job }: JobExecution<Job>): void {
    const ending = execution.ending as ExecutionEnd;
    if (adopted === execution || ending.outcome.type !== "retried") return;
    this.#tellSettled(execution, ending, { isRecorded: !job.followsStalled });
  }

  #tell(
    { job, description }: JobExecution<Job>,
    outcome: SettledJobContext["outcome"],
    error: ExecutionEnd["error"],
  ): void {
    this.#setUp.runner.settled({ jobName: job.name, delivery: description, outcome, error });
  }
}
