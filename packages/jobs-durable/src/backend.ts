// For authors of engines.

export { envelopeFrom } from "./backend/envelope.ts";
export type {
  JobBackend,
  JobConsumer,
  JobEnvelope,
  JobOutcome,
  LeasedJob,
  NewJob,
  SettleResult,
} from "./backend/job-backend.ts";
export { withDeadline } from "./deadline.ts";
export { createEngine, type EngineOptions, type StartableEngine } from "./durable-engine.ts";
export { defaultRetention, type RetentionOptions } from "./retention.ts";
export { noJobs } from "./stats.ts";
export { throttledWarning } from "./throttled-warning.ts";
export { requireEngineOptions } from "./validation.ts";
