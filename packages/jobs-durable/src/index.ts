export type { EngineHealth, WorkerHealth, WorkerState } from "@nidus/jobs-observe";
export type { DeadLetter } from "./backend/dead-letter.ts";
export type { EngineCapabilities } from "./backend/engine-capabilities.ts";
export type { EnqueueOptions } from "./backend/enqueue-options.ts";
export type { JobCounts } from "./backend/job-counts.ts";
export type {
  JobAttemptError,
  StoredJob,
  StoredJobProgress,
  StoredJobState,
} from "./backend/stored-job.ts";
export type {
  DeadLetterOptions,
  JobEngine,
  JobStats,
  ResultOptions,
} from "./engine/job-engine.ts";
export type {
  JobSchedule,
  ScheduleInterval,
  ScheduleOptions,
  SchedulesQuery,
  UnscheduleOptions,
} from "./engine/job-schedule.ts";
export type {
  CancelAllQuery,
  JobKey,
  JobLookupOptions,
  JobsPage,
  JobsQuery,
  RedriveAllQuery,
} from "./engine/jobs-query.ts";
export type { EnqueuedJob } from "./errors/enqueued-job.ts";
export {
  EngineUnavailableError,
  EnqueuedInPartError,
  NoResultError,
  PayloadError,
  PermanentJobError,
  UnsupportedError,
} from "./errors/errors.ts";
export type { JobWorker, StopOptions, WorkerReport, WorkOptions } from "./execution/job-worker.ts";
export type { BackoffFunction, ExponentialBackoff, FixedBackoff, JobBackoff } from "./job/backoff.ts";
export type { AnyDurableJob, JobWithPayload } from "./job/durable-job.ts";
export {
  type DurableJob,
  defineJob,
  type JobDefinition,
  type JobHandlerContext,
} from "./job/durable-job.ts";
export { type MemoryEngineOptions, memoryEngine } from "./memory/memory-engine.ts";
