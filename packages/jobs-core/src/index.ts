export { AsyncJobQueue } from "./async-job-queue.ts";
export { type AsyncJob, type AsyncJobRunner, asyncJob, type Job, type JobRunner, job } from "./job.ts";
export { JobError } from "./job-error.ts";
export { JobQueue, type JobQueueRunOptions } from "./job-queue.ts";
export { type JobFailure, JobReport, type JobReportData } from "./job-report.ts";
export type { AsyncJobQueueRunOptions } from "./worker-pool.ts";
