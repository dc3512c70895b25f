import type { AwaitedJob, JobEnd, JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListedJob, type ListLeasedJob } from "./list-backend.ts";

/** Stores no result. */
export class LosingResults extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle(job, outcome.type === "succeeded" ? { type: "succeeded" } : outcome);
  }
}

/** Takes `null` for no result. */
export class LosingNull extends ListBackend {
  override endOf(job: ListedJob | undefined): JobEnd {
    const end = super.endOf(job);
    return end.state === "succeeded" && end.resultText === "null" ? { state: "succeeded" } : end;
  }
}

/** Has a column of so many characters for results. */
export class CuttingResults extends ListBackend {
  override endOf(job: ListedJob | undefined): JobEnd {
    const end = super.endOf(job);
    if (end.state !== "succeeded" || end.resultText === undefined) return end;
    return { ...end, resultText: JSON.stringify(JSON.parse(end.resultText.slice(0, 65_536))) };
  }
}

/** Tells ends in the order in which the jobs were stored. */
export class MixingEndsUp extends ListBackend {
  override async ends(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    const stored = this.all().filter(({ id }) => jobs.some((job) => job.id === id));
    const unknown: JobEnd = { state: "unknown" };
    return [...stored.map((job) => this.endOf(job)), ...jobs.map(() => unknown)].slice(0, jobs.length);
  }
}

/** Says of a job that was cancelled that it has not ended. */
export class WaitingForCancelledJobs extends ListBackend {
  override endOf(job: ListedJob | undefined): JobEnd {
    const end = super.endOf(job);
    return job !== undefined && end.state === "cancelled" ? { state: "pending", jobName: job.name } : end;
  }
}

/** Says of a job that it does not know that it has not ended. */
export class WaitingForUnknownJobs extends ListBackend {
  override endOf(job: ListedJob | undefined): JobEnd {
    return job === undefined ? { state: "pending", jobName: "unknown" } : super.endOf(job);
  }
}

/** Keeps the result of whichever delivery came last. */
export class KeepingLateResults extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "succeeded") job.listed.resultText = outcome.resultText;
    return super.settle(job, outcome);
  }
}

/** Forgets the error of a dead letter. */
export class HidingErrors extends ListBackend {
  override endOf(job: ListedJob | undefined): JobEnd {
    const end = super.endOf(job);
    return end.state === "dead-lettered" ? { ...end, error: "failed" } : end;
  }
}
