import { setTimeout as pause } from "node:timers/promises";
import type { EnqueuedJob } from "@nidus/jobs-durable";
import type { JobOutcome, NewJob, SettleResult } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListedJob, type ListLeasedJob } from "./list-backend.ts";

/** Starts jobs in the order of their enqueues, whatever their priorities. */
export class IgnoringPriorities extends ListBackend {
  override rank(): number {
    return 0;
  }
}

/** Starts the jobs with the highest number first. */
export class ReversingPriorities extends ListBackend {
  override rank(job: ListedJob): number {
    return -super.rank(job);
  }
}

/** Puts a failed job among those without a priority. */
export class ForgettingPriorities extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const result = super.settle(job, outcome);
    if (outcome.type === "retried") Object.assign(job.listed, { priority: 0 });
    return result;
  }
}

/** Puts a released job among those without a priority. */
export class RaisingReleases extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "released") Object.assign(job.listed, { priority: 0 });
    return super.settle(job, outcome);
  }
}

/** Looks whether a unique key is free, and stores the job some time later. */
export class RacingUniqueKeys extends ListBackend {
  override async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const [job] = jobs;
    if (job?.uniqueKey === undefined) return super.insert(jobs);
    const holder = this.holder(job.name, job.uniqueKey);
    await pause(1);
    if (holder !== undefined) return [{ id: holder.id, isDuplicate: true }];
    this.add(job);
    return [{ id: job.id, isDuplicate: false }];
  }
}

/** Gives a duplicate an id of its own. */
export class InventingIds extends ListBackend {
  override async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const answers = await super.insert(jobs);
    return answers.map((answer, index) => ({ ...answer, id: jobs[index]?.id ?? "" }));
  }
}

/** Has one set of unique keys for all job names. */
export class SharingUniqueKeys extends ListBackend {
  override holder(_jobName: string, uniqueKey: string): ListedJob | undefined {
    return this.all().find((job) => job.uniqueKey === uniqueKey && this.holds(job));
  }
}

/** Frees the key of a job that waits for its next attempt. */
export class FreeingKeysOfRetries extends ListBackend {
  override holds(job: ListedJob): boolean {
    return super.holds(job) && !(job.state === "pending" && job.attempt > 0);
  }
}

/** Frees the key of a job that runs. */
export class FreeingKeysAtTheStart extends ListBackend {
  override holds(job: ListedJob): boolean {
    return super.holds(job) && job.state !== "running";
  }
}

/** Frees the key of a job whose worker has died. */
export class FreeingKeysOfTheDead extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    const leased = super.lease(listed);
    if (leased.followsStalled) listed.uniqueKey = undefined;
    return leased;
  }
}

/** Holds the key of a dead letter. */
export class HoldingKeysOfDeadLetters extends ListBackend {
  override holds(job: ListedJob): boolean {
    return super.holds(job) || job.state === "deadLettered";
  }
}

/** Holds the key of a cancelled job. */
export class HoldingKeysOfCancelledJobs extends ListBackend {
  override holds(job: ListedJob): boolean {
    return super.holds(job) || job.state === "cancelled";
  }
}

/** Lets a redriven job hold its key again. */
export class HoldingKeysAgain extends ListBackend {
  override async redrive(jobId: string): Promise<boolean> {
    const uniqueKey = this.find(jobId)?.uniqueKey;
    const isRedriven = await super.redrive(jobId);
    if (isRedriven) Object.assign(this.find(jobId) as ListedJob, { uniqueKey });
    return isRedriven;
  }
}

/** Frees a key that is to hold for a time when its job ends. */
export class FreeingKeysEarly extends ListBackend {
  override holds(job: ListedJob): boolean {
    return super.holds(job) && (job.state === "pending" || job.state === "running");
  }
}

/** Holds a key that was to hold for a time until its job ends. */
export class HoldingKeysTooLong extends ListBackend {
  override holds(job: ListedJob): boolean {
    return super.holds(job) || job.state === "pending" || job.state === "running";
  }
}
