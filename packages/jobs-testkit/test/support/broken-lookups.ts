import type { StoredJob } from "@nidus/jobs-durable";
import { ListBackend } from "./list-backend.ts";

type Found = Promise<StoredJob | undefined>;
type LookupOptions = Parameters<ListBackend["job"]>[1];

/** Finds no job that has ended. */
export class LosingEndedJobs extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    return job?.finishedAt === undefined ? job : undefined;
  }
}

/** Says of a job for later that it waits. */
export class CallingScheduledJobsWaiting extends ListBackend {
  override async job(jobId: string, options: LookupOptions): Found {
    const job = await super.job(jobId, options);
    return job?.state === "scheduled" ? { ...job, state: "waiting" } : job;
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
