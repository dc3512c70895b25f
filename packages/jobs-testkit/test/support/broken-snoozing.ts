import type { JobOutcome, SettleResult } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListLeasedJob } from "./list-backend.ts";

/** Counts a snooze as an attempt. */
export class SpendingSnoozes extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "snoozed") job.listed.attempt++;
    return super.settle(job, outcome);
  }
}

/** Brings a snoozed job back at once. */
export class SnoozingBriefly extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle(job, outcome.type === "snoozed" ? { type: "released" } : outcome);
  }
}

/** Forgets a cancellation when its job snoozes. */
export class WakingCancelledJobs extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "snoozed") job.listed.isCancelRequested = false;
    return super.settle(job, outcome);
  }
}

/** Lets a worker snooze a job that another one has by now. */
export class SnoozingLostJobs extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle(outcome.type === "snoozed" ? { ...job, lease: job.listed.lease } : job, outcome);
  }
}
