import { setTimeout as pause } from "node:timers/promises";
import type { JobError } from "@nidus/jobs-core";
import type { ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import { WrongAnswerError } from "../backend/answers.ts";
import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { JobOutcome, SettleResult } from "../backend/job-outcome.ts";
import { backoffMs, outage } from "../job/backoff.ts";
import { cancelled, comesAgain, type ExecutionEnd, isCancellable } from "./execution-end.ts";
import type { JobExecution } from "./job-execution.ts";
import type { KnownExecutions } from "./known-executions.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import type { Slot } from "./slots.ts";
import type { WorkerCounts } from "./worker-counts.ts";

/** The parts of a worker that its settler uses. */
export interface SettlerSetUp<Job extends LeasedJob> {
  readonly consumer: JobConsumer<Job>;
  readonly runner: ObservedJobRunner;
  readonly known: KnownExecutions<Job>;
  readonly leases: LeaseKeeper<Job>;
  readonly counts: WorkerCounts;
  /** Aborted when the worker begins to stop: no further jobs are wanted then. */
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
  /** Called with each outcome that the store has recorded. */
  readonly onRecorded: (jobId: string, outcome: JobOutcome) => void;
}

type Answer<Job extends LeasedJob> = SettleResult & { readonly next?: Job | undefined };

/** Has the engine record how executions ended, and tells the observers the outcomes. */
export class Settler<Job extends LeasedJob> {
  readonly #setUp: SettlerSetUp<Job>;
  #isStopped = false;

  constructor(setUp: SettlerSetUp<Job>) {
    this.#setUp = setUp;
  }

  /** Ends what is still being repeated. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Records how an execution ended, and resolves to a further job that came with the answer. It repeats the question for as long
   * as the server is unreachable: the job has run, and would run again without a record. A refusal is final.
   */
  async settle(execution: JobExecution<Job>, slot: Slot): Promise<Job | undefined> {
    const { leases, onError } = this.#setUp;
    // The job must not run again, nor be kept, if another process has cancelled it since the last look.
    if (isCancellable(execution.end as ExecutionEnd)) await leases.cancelRequested();
    for (let failures = 1; ; failures++) {
      if (execution.supersededBy !== undefined) this.#tellSuperseded(execution, execution.supersededBy);
      if (execution.isOver || this.#isStopped) return undefined;
      const end = execution.beginSettling();
      let answer: Answer<Job>;
      try {
        answer = await this.#record(execution, end, slot);
      } catch (thrown) {
        // The store has answered, but whether it recorded the outcome is unknown.
        if (thrown instanceof WrongAnswerError) throw thrown;
        onError(thrown);
        await pause(backoffMs(outage, failures));
        continue;
      }
      this.#tellSettled(execution, end, answer);
      return answer.next;
    }
  }

  /** A worker that stops, or a slot that is to go, wants no further job. */
  #record(execution: JobExecution<Job>, end: ExecutionEnd, slot: Slot): Promise<Answer<Job>> {
    const { consumer, stopping } = this.#setUp;
    const { job } = execution;
    const outcome = withProgress(end.outcome, execution);
    return consumer.settleAndFetch === undefined || stopping.aborted || slot.isSurplus
      ? consumer.settle(job, outcome)
      : consumer.settleAndFetch(job, outcome);
  }

  /** Gives up an execution that the worker cannot wait for: releases the job, unless its handler has ended. */
  async abandon(execution: JobExecution<Job>): Promise<void> {
    const { consumer, counts } = this.#setUp;
    if (execution.end === undefined) counts.abandoned++;
    const end = execution.abandon();
    this.#tellSettled(
      execution,
      end,
      await consumer.settle(execution.job, withProgress(end.outcome, execution)),
    );
  }

  /** Tells of the attempt before, if its worker died or lost its lease. */
  tellStalled({ job, delivery }: JobExecution<Job>): void {
    const { attempt, maxAttempts } = delivery;
    // A worker that died as it gave the job up made no attempt.
    if (!job.followsStalled || attempt === 1 || attempt > maxAttempts + 1) return;
    const before = Object.freeze({ ...delivery, attempt: attempt - 1 });
    this.#setUp.runner.settled({
      jobName: job.name,
      delivery: before,
      outcome: "stalled",
      error: undefined,
    });
  }

  /** Counts what the engine has recorded or refused, and tells the observers, once. */
  #tellSettled(execution: JobExecution<Job>, end: ExecutionEnd, answer: SettleResult): void {
    if (!execution.settled(answer.isRecorded)) return;
    if (!answer.isRecorded) {
      this.#tellLost(execution);
      return;
    }
    // Of two executions that end with one handler, the store should record one. If it records both, the first has told the observers.
    const { adopted, supersededBy } = execution;
    if (adopted?.isRecorded || (supersededBy?.adopted === execution && supersededBy.isRecorded)) return;
    const { outcome, error } = answer.isCancelled ? cancelled(end.error) : end;
    if (outcome.type === "released") return;
    this.#setUp.counts[outcome.type === "dead-lettered" ? "deadLettered" : outcome.type]++;
    this.#tell(execution, outcome.type, error);
    this.#setUp.onRecorded(execution.job.id, outcome);
  }

  #tellLost(execution: JobExecution<Job>): void {
    const { state } = execution;
    if (state.phase !== "settled" || !state.hasRun || state.end.outcome.type === "released") return;
    if (execution.isUnrecordedSuccess) this.#setUp.known.limitUnrecorded();
    this.#tell(execution, "lost", state.end.error);
  }

  /**
   * The job came again before it was known whether its outcome had been recorded. A retry or a snooze had been recorded, and only the answer
   * was lost, unless the store says that the attempt stalled. All other ends are those of the execution that came.
   */
  #tellSuperseded(execution: JobExecution<Job>, { adopted, job }: JobExecution<Job>): void {
    const end = execution.end as ExecutionEnd;
    if (adopted === execution || !comesAgain(end.outcome)) return;
    this.#tellSettled(execution, end, { isRecorded: !job.followsStalled });
  }

  #tell(
    { job, delivery }: JobExecution<Job>,
    outcome: SettledJobContext["outcome"],
    error: JobError | undefined,
  ): void {
    const { attempt, maxAttempts } = delivery;
    // A delivery after the last attempt makes no attempt: it tells how the last one ended.
    const told = attempt > maxAttempts ? Object.freeze({ ...delivery, attempt: maxAttempts }) : delivery;
    this.#setUp.runner.settled({ jobName: job.name, delivery: told, outcome, error });
  }
}

/** The outcome to record: it takes the last progress along. */
function withProgress(outcome: JobOutcome, { lastProgress }: JobExecution<LeasedJob>): JobOutcome {
  return lastProgress === undefined ? outcome : { ...outcome, progress: lastProgress };
}
