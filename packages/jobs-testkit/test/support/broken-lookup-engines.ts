import type { JobEngine } from "@nidus/jobs-durable";
import { overriding } from "./overriding.ts";

/** Finds no job that runs. */
export function losingRunningJobs(engine: JobEngine): JobEngine {
  return overriding(engine, {
    async job(jobId, options) {
      const job = await engine.job(jobId, options);
      return job?.state === "running" ? undefined : job;
    },
  });
}

/** Finds nothing under what is no id, and does not say that it is none. */
export function findingNoText(engine: JobEngine): JobEngine {
  return overriding(engine, {
    job: async (jobId, options) =>
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
