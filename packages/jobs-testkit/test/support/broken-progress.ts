import type { StoredJobProgress } from "@nidus/jobs-durable";
import type { JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListLeasedJob } from "./list-backend.ts";

/** Saves progress without a look at the lease. */
export class SavingLateProgress extends ListBackend {
  override saveProgress({ listed }: ListLeasedJob, progress: StoredJobProgress): void {
    listed.progress = progress;
  }
}

/** Saves nothing with an outcome. */
export class EndingWithoutProgress extends ListBackend {
  override settle(job: ListLeasedJob, { progress: _, ...outcome }: JobOutcome): SettleResult {
    return super.settle(job, outcome as JobOutcome);
  }
}

/** Forgets the progress when a job ends or is tried again. */
export class ForgettingProgress extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const result = super.settle(job, outcome);
    if (result.isRecorded) job.listed.progress = outcome.progress;
    return result;
  }
}

/** Adds a report to the one before. */
export class MergingProgress extends ListBackend {
  override saveProgress(job: ListLeasedJob, progress: StoredJobProgress): void {
    super.saveProgress(job, { ...job.listed.progress, ...progress });
  }
}

/** Keeps the progress of a dead letter that runs again. */
export class RedrivingProgress extends ListBackend {
  override async redrive(jobId: string): Promise<boolean> {
    const job = this.find(jobId);
    const progress = job?.progress;
    const isRedriven = await super.redrive(jobId);
    if (job !== undefined) job.progress = progress;
    return isRedriven;
  }
}

/** Takes the progress of a refused outcome. */
export class TakingRefusedProgress extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.progress !== undefined) job.listed.progress = outcome.progress;
    return super.settle(job, outcome);
  }
}
