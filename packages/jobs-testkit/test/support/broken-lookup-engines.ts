import type { JobEngine } from "@nidus/jobs-durable";
import { overriding } from "./overriding.ts";

/** Finds no job that runs. */
export function losingRunningJobs(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async job(jobId: unknown, options?: object) {
      const job = await engine.job(jobId as string, options);
      return job?.state === "running" ? undefined : job;
    },
  });
}

/** Finds nothing under what is no id, and does not say that it is none. */
export function findingNoText(engine: JobEngine): JobEngine {
  return overriding(engine, {
    job: async (jobId: unknown, options?: object) =>
      typeof jobId === "string" && jobId !== "" ? engine.job(jobId, options) : undefined,
  });
}

/** Lists only jobs that wait. */
export function listingNothingThatRuns(engine: JobEngine): JobEngine {
  return overriding(engine, { jobs: (query) => engine.jobs({ ...query, state: query?.state ?? "waiting" }) });
}

/** Lists payloads for all who ask. */
export function listingPayloads(engine: JobEngine): JobEngine {
  return overriding(engine, { jobs: (query) => engine.jobs({ ...query, withPayload: true }) });
}

/** Takes a cursor that it does not know for the first page. */
export function beginningAgain(engine: JobEngine): JobEngine {
  return overriding(engine, {
    jobs: (query) => engine.jobs(query).catch(() => engine.jobs({ ...query, cursor: undefined })),
  });
}

/** Finds no job by a key. */
export function forgettingKeys(engine: JobEngine): JobEngine {
  return overriding(engine, {
    job: async (jobOrKey: unknown, options?: object) =>
      typeof jobOrKey === "string" ? engine.job(jobOrKey, options) : undefined,
  });
}

/** Starts a job at once in place of at its new moment. */
export function reschedulingToNow(engine: JobEngine): JobEngine {
  return overriding(engine, {
    reschedule: (jobId, runAt) => engine.reschedule(jobId, runAt > new Date() ? new Date() : runAt),
  });
}

/** Cancels 100 jobs, and leaves the others. */
export function cancellingOnePortion(engine: JobEngine): JobEngine {
  return overriding(engine, {
    cancelAll: (query) => engine.cancelAll({ ...query, limit: Math.min(query.limit ?? 100, 100) }),
  });
}

/** Redrives dead letters whatever their error is. */
export function redrivingAnyError(engine: JobEngine): JobEngine {
  return overriding(engine, {
    redriveAll: (query = {}) => engine.redriveAll({ ...query, error: undefined }),
  });
}

/** Looks for a text in the first 500 characters of an error alone. */
export function readingShortErrors(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async redriveAll(query = {}) {
      const { jobs } = await engine.jobs({ jobName: query.jobName, state: "dead-lettered" });
      const isFound = jobs.some(({ errors }) => errors[0]?.message.slice(0, 500).includes(query.error ?? ""));
      return isFound ? engine.redriveAll(query) : 0;
    },
  });
}
