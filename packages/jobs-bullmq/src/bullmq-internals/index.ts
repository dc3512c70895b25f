// Everything that depends on the insides of BullMQ: key names, hash fields, scores, scripts, their codes, and protected methods.
// test/bullmq-internals checks them on each major version.

export { isQueueClosed, readBareQueue } from "./bare-queue.ts";
export { type Batch, BatchQueue } from "./batch-queue.ts";
export { cancelJob, cancelJobs } from "./cancel-job.ts";
export { changeScheduled } from "./change-scheduled.ts";
export { cleanJobs, forgetCancellations } from "./clean-jobs.ts";
export { readDeadLetters } from "./dead-letters.ts";
export { namesWithJob } from "./find-job.ts";
export { findStoredJob, type ListedQueue } from "./find-stored-job.ts";
export { type CountsOfName, readCounts } from "./job-counts.ts";
export { readEndsOfJobs, resultTextFrom, returnValueOf, type StoredEnd } from "./job-ends.ts";
export { queueKeys, scheduledAtOf, scheduledJobId } from "./job-keys.ts";
export { type OwnScheduler, readSchedulers, scheduledJobIds, schedulerId } from "./job-schedulers.ts";
export { forceEndJob, type LeaseState, leaseStateOf } from "./lease-state.ts";
export { leasesWithToken, repairJob } from "./leased-jobs.ts";
export { cancelRequestsAmong, claimStalledReport, type Lease, renewLeases } from "./leases.ts";
export { isListPart, type ListedFields, type ListPlace, lastPart, listJobs } from "./list-jobs.ts";
export { ManualWorker, type ManualWorkerOptions } from "./manual-worker.ts";
export { type Marker, MarkerWatch } from "./marker-watch.ts";
export type { ParsedFields } from "./parsed-fields.ts";
export { readyAmong } from "./ready-queues.ts";
export type { RedisClient } from "./redis-client.ts";
export { redriveJob, redriveJobs } from "./redrive-job.ts";
export { rescheduleJob } from "./reschedule-job.ts";
export { RetryLater } from "./retry-later.ts";
export { type CancelledRun, cancelledRunsOf, forgetCancelledRuns, isMomentTaken } from "./reused-job-ids.ts";
export { saveProgress } from "./save-progress.ts";
export { Script } from "./script.ts";
export { hasOpenChildren, isLeaseLost, isMove, isRefusedScript } from "./script-errors.ts";
export type { Clock } from "./script-interceptor.ts";
export { unreadyClientOf, versionOf } from "./shared-connection.ts";
export { skipScheduled } from "./skip-scheduled.ts";
export type { StoredFields } from "./stored-fields.ts";
export { countOf, timeOf } from "./stored-values.ts";
export { holderOfKey } from "./unique-keys.ts";
export { readEnds, type WorkerOfJob, workerOf } from "./worker-of-job.ts";
