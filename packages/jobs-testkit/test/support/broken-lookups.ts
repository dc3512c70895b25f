import type { StoredJob } from "@nidus/jobs-durable";
import type { JobOutcome, SettleResult, StoredJobsPage, StoredJobsQuery } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListLeasedJob } from "./list-backend.ts";

type Found = Promise<StoredJob | undefined>;
type LookupOptions = Parameters<ListBackend["job"]>[1];

/** Finds no job that has ended. */
export class LosingEndedJobs extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    return job?.finishedAt === undefined ? job : undefined;
  }
}

/** Finds no job that was cancelled. */
export class LosingCancelledJobs extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    return job?.state === "cancelled" ? undefined : job;
  }
}

/** Says of a job for later that it waits. */
export class CallingScheduledJobsWaiting extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    return job?.state === "scheduled" ? { ...job, state: "waiting" } : job;
  }
}

/** Knows no moment of the last day. */
export class ForgettingTheLastDay extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    return job && job.runAt.getTime() > Date.UTC(9999, 11, 31) ? { ...job, runAt: job.enqueuedAt } : job;
  }
}

/** Takes the end of a lease for the start of an attempt. */
export class MovingStarts extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    if (job?.state !== "running") return job;
    return { ...job, startedAt: new Date(this.find(jobId)?.leasedUntilMs ?? 0) };
  }
}

/** Keeps one error. */
export class KeepingTheLastError extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    job.listed.errors = [];
    return super.settle(job, outcome);
  }
}

/** Keeps every error whole, and more and more of them. */
export class KeepingAllErrors extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const { errors } = job.listed;
    const result = super.settle(job, outcome);
    const [newest] = job.listed.errors;
    if ("error" in outcome && newest) job.listed.errors = [{ ...newest, message: outcome.error }, ...errors];
    return result;
  }
}

/** Begins anew with a redrive. */
export class ForgettingErrors extends ListBackend {
  override async redrive(jobId: string): Promise<boolean> {
    const isRedriven = await super.redrive(jobId);
    if (isRedriven) Object.assign(this.find(jobId) ?? {}, { errors: [] });
    return isRedriven;
  }
}

/** Reads payloads for all who look. */
export class ReadingPayloads extends ListBackend {
  override async job(jobId: string): Found {
    return super.job(jobId, { withPayload: true });
  }
}

/** Finds a job under any id. */
export class FindingAnything extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    return super.job(this.find(jobId)?.id ?? this.all()[0]?.id ?? jobId, options);
  }
}

/** All jobs of a query, on one page. */
async function everything(backend: ListBackend, query: StoredJobsQuery): Promise<readonly StoredJob[]> {
  const all = { ...query, limit: Number.MAX_SAFE_INTEGER, position: undefined };
  return (await ListBackend.prototype.jobs.call(backend, all)).jobs;
}

/** Makes pages of a whole list, by how many jobs came before. */
function pageAt(jobs: readonly StoredJob[], { limit, position }: StoredJobsQuery): StoredJobsPage {
  const start = Number(position?.[0] ?? 0);
  if (position !== undefined && !(position.length === 1 && start > 0 && start < 1e6))
    throw new TypeError("no");
  const end = start + limit;
  return { jobs: jobs.slice(start, end), position: end < jobs.length ? [String(end)] : undefined };
}

/** Lists the wrong way round. */
export class ListingOldestFirst extends ListBackend {
  override async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return pageAt([...(await everything(this, query))].reverse(), query);
  }
}

/** Counts from the first job, wherever that is by now. */
export class CountingPages extends ListBackend {
  override async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return pageAt(await everything(this, query), query);
  }
}

/** Lists jobs in any state. */
export class ForgettingTheState extends ListBackend {
  override async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return super.jobs({ ...query, state: undefined });
  }
}

/** Leaves out the last job of each page but the last. */
export class EndingEarly extends ListBackend {
  override async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    const { jobs, position } = await super.jobs(query);
    const isCut = jobs.length > 2 && position === undefined;
    return { jobs: isCut ? jobs.slice(0, -1) : jobs, position };
  }
}

/** Lists by id alone. */
export class MixingNames extends ListBackend {
  override async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    if (query.jobName !== undefined) return super.jobs(query);
    return pageAt(
      [...(await everything(this, query))].sort((a, b) => (a.id.slice(-9) < b.id.slice(-9) ? -1 : 1)),
      query,
    );
  }
}

/** Begins again at a position that it does not know. */
export class TakingAnyPosition extends ListBackend {
  override async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return super.jobs(query).catch(() => super.jobs({ ...query, position: undefined }));
  }
}

/** Says of whatever it has that its start was moved. */
export class ReschedulingAnything extends ListBackend {
  override async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    await super.reschedule(jobId, runAt);
    return this.find(jobId) !== undefined;
  }
}

/** Says that it moves starts, and does not. */
export class ReschedulingNothing extends ListBackend {
  override async reschedule(jobId: string): Promise<boolean> {
    return this.find(jobId)?.state === "pending";
  }
}

/** Says of every cancellation of running jobs that it was the first. */
export class CancellingForAll extends ListBackend {
  override async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const runs = jobIds.filter((id) => this.find(id)?.state === "running");
    return [...new Set([...(await super.cancelAll(jobName, jobIds)), ...runs])];
  }
}

/** Cancels jobs of whatever name. */
export class CancellingAnyName extends ListBackend {
  override async cancelAll(_jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const names = new Set(jobIds.map((id) => this.find(id)?.name ?? ""));
    return (await Promise.all([...names].map((name) => super.cancelAll(name, jobIds)))).flat();
  }
}

/** Says of every redrive of a job that it was the one. */
export class RedrivingForAll extends ListBackend {
  override async redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    await super.redriveAll(jobName, jobIds);
    return jobIds.filter((id) => this.find(id)?.state === "pending");
  }
}
