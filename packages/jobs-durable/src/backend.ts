// For authors of engines.

export { attemptErrorsFrom, errorsAfter } from "./backend/attempt-errors.ts";
export { carrierFrom } from "./backend/carrier.ts";
export { envelopeFrom, envelopeHeadFrom, type JobEnvelope } from "./backend/envelope.ts";
export type { JobBackend, JobConsumer, LeasedJob, NewJob } from "./backend/job-backend.ts";
export { zeroCounts } from "./backend/job-counts.ts";
export type { AwaitedJob, JobEnd } from "./backend/job-end.ts";
export { idFromKey } from "./backend/job-id.ts";
export type { JobOutcome, SettleResult } from "./backend/job-outcome.ts";
export { type LibraryOptions, requireLibraryOptions } from "./backend/library-options.ts";
export type { NameBacklog } from "./backend/name-backlog.ts";
export { type Retention, type RetentionOptions, requireRetention } from "./backend/retention.ts";
export { haveSameOptions } from "./backend/same-options.ts";
export {
  type FoundSchedule,
  isOfSchedule,
  ScheduleChain,
  type ScheduleRecord,
  type ScheduleStore,
  scheduleRecordFrom,
} from "./backend/schedule-chain.ts";
export { storedJobStates } from "./backend/stored-job.ts";
export { type StoredJobsPage, type StoredJobsQuery, wrongCursor } from "./backend/stored-jobs-query.ts";
export { storedProgressFrom } from "./backend/stored-progress.ts";
export type { StoredSchedule } from "./backend/stored-schedule.ts";
export { createEngine } from "./engine/create-engine.ts";
export { type EngineOptions, requireEngineOptions } from "./engine/engine-options.ts";
export type { StartableEngine } from "./engine/job-engine.ts";
export { jobNamer } from "./engine/job-namer.ts";
export { observeStore, type StoreReadings } from "./engine/observe-store.ts";
export { isConnectionError } from "./errors/connection-error.ts";
export { withDeadline } from "./errors/deadline.ts";
export { neverThrowing, throttledWarning } from "./errors/throttled-warning.ts";
export { requireInRange } from "./job/whole-number.ts";
export { nextMoment, type ScheduleRule, scheduleRuleFrom } from "./schedule/schedule-rule.ts";
