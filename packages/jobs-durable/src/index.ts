export {
  type DurableJob,
  defineJob,
  type JobBackoff,
  type JobDefinition,
  type JobHandlerContext,
} from "./durable-job.ts";
export type {
  AnyDurableJob,
  DeadLetter,
  DeadLetterOptions,
  EngineCapabilities,
  EnqueuedJob,
  EnqueueOptions,
  JobCounts,
  JobEngine,
  JobStats,
  JobWithPayload,
  ScheduleOptions,
  UnscheduleOptions,
} from "./engine.ts";
export {
  EngineUnavailableError,
  EnqueuedInPartError,
  PayloadError,
  PermanentJobError,
  UnsupportedError,
} from "./errors.ts";
export { type MemoryEngineOptions, memoryEngine } from "./memory/memory-engine.ts";
export type { JobWorker, StopOptions, WorkerReport, WorkOptions } from "./worker/job-worker.ts";
