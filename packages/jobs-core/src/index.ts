export { type AsyncJob, asyncJob, type Job, job } from "./job/job.ts";
export { JobError } from "./job/job-error.ts";
export { type JobFailure, JobReport, type JobReportData } from "./job/job-report.ts";
export { AsyncJobQueue } from "./queue/async-job-queue.ts";
export { JobQueue, type JobQueueRunOptions } from "./queue/job-queue.ts";
export type { AsyncJobQueueRunOptions } from "./queue/worker-pool.ts";

// For authors of runners. Authors of observers and engines also find checks and texts in `@nidus/jobs-core/adapter`.

export type { AsyncJobRunner, JobRunner } from "./job/job.ts";
