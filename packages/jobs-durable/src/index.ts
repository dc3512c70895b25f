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

// For authors of engines.

export { envelopeFrom } from "./backend/envelope.ts";
export type {
  FetchedJob,
  JobBackend,
  JobEnvelope,
  JobSource,
  NewJob,
  Settled,
  Settlement,
} from "./backend/job-backend.ts";
export { withDeadline } from "./deadline.ts";
export { DurableEngine, type DurableEngineOptions } from "./durable-engine.ts";
export { defaultRetention, type RetentionOptions } from "./retention.ts";
export { noJobs } from "./stats.ts";
export { throttledWarning } from "./throttled-warning.ts";
export { requireEngineOptions } from "./validation.ts";
