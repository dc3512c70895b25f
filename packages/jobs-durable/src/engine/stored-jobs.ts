import { requireBoolean, requireKnownKeys, requireWholeNumber } from "@nidus/jobs-core/adapter";
import type { DeadLetter } from "../backend/dead-letter.ts";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import { idFromKey } from "../backend/job-id.ts";
import type { StoredJob } from "../backend/stored-job.ts";
import { validDate } from "../backend/valid-date.ts";
import type { BoundedBackend } from "./bounded-backend.ts";
import { cursorFrom } from "./cursor.ts";
import type { DeadLetterOptions } from "./job-engine.ts";
import {
  type JobKey,
  type JobLookupOptions,
  type JobsPage,
  type JobsQuery,
  requireJobKey,
  storedJobsQueryFrom,
} from "./jobs-query.ts";
import { deadLettersFrom } from "./stats.ts";
import { isJobId, requireListing, requireUniqueKeys } from "./validation.ts";

/** Looks at the jobs that a store has. */
export class StoredJobs<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #backend: Pick<JobBackend, "name" | "capabilities">;
  readonly #store: BoundedBackend<Job, Options>;

  constructor(backend: Pick<JobBackend, "name" | "capabilities">, store: BoundedBackend<Job, Options>) {
    this.#backend = backend;
    this.#store = store;
  }

  async job(jobOrKey: string | JobKey, options: JobLookupOptions = {}): Promise<StoredJob | undefined> {
    requireKnownKeys("the options of `job`", options, ["withPayload"]);
    const { withPayload = false } = options;
    requireBoolean("`withPayload`", withPayload);
    const jobId = typeof jobOrKey === "string" ? jobOrKey : await this.#idOf(jobOrKey);
    if (jobId === undefined) return undefined;
    const isId = isJobId(jobId);
    requireListing(this.#backend);
    this.#store.requireOpen();
    const job = isId ? await this.#store.job(jobId, withPayload) : undefined;
    return job && withValidDates(job);
  }

  async #idOf(key: JobKey): Promise<string | undefined> {
    requireJobKey(key);
    requireListing(this.#backend);
    const { jobName, uniqueKey, idempotencyKey } = key;
    if (uniqueKey === undefined) return idFromKey(jobName, idempotencyKey);
    requireUniqueKeys(this.#backend);
    return this.#store.holderOf(jobName, uniqueKey);
  }

  async jobs(query: JobsQuery = {}): Promise<JobsPage> {
    const checked = storedJobsQueryFrom(query);
    requireListing(this.#backend);
    const { jobs, position } = await this.#store.jobs(checked);
    return {
      jobs: jobs.map(withValidDates),
      cursor: position && cursorFrom(position, checked),
    };
  }

  async deadLetters(options: DeadLetterOptions = {}): Promise<readonly DeadLetter[]> {
    requireKnownKeys("the options of `deadLetters`", options, ["limit"]);
    const { limit = 100 } = options;
    requireWholeNumber("`limit`", limit);
    return deadLettersFrom(await this.#store.deadLetters(limit));
  }
}

/** Other programs write to stores, too: replaces invalid dates. */
function withValidDates(job: StoredJob): StoredJob {
  return {
    ...job,
    enqueuedAt: validDate(job.enqueuedAt) ?? new Date(0),
    runAt: validDate(job.runAt) ?? new Date(0),
    startedAt: validDate(job.startedAt),
    finishedAt: validDate(job.finishedAt),
  };
}
