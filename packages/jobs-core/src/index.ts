export { AsyncJobQueue } from "./async-job-queue.ts";
export { type AsyncJob, type AsyncJobRunner, asyncJob, type Job, type JobRunner, job } from "./job.ts";
export { JobError } from "./job-error.ts";
export { JobQueue, type JobQueueRunOptions } from "./job-queue.ts";
export { type JobFailure, JobReport, type JobReportData } from "./job-report.ts";
export type { AsyncJobQueueRunOptions } from "./worker-pool.ts";

// For authors of runners, observers and engines.

export { isCancellation, neverAbortedSignal } from "./cancellation.ts";
export { propertyOf } from "./foreign.ts";
export { sharedByCopies } from "./shared.ts";
export { requireSyncResult } from "./sync-result.ts";
export {
  describe,
  type RefuseAsync,
  refusal,
  requireFunction,
  requireJob,
  requireJobName,
  requireKnownKeys,
  requireObject,
  requireSignal,
  requireText,
  requireWholeNumber,
} from "./validation.ts";
