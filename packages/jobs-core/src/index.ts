export { type AsyncJob, type AsyncJobRunner, asyncJob, type Job, type JobRunner, job } from "./job/job.ts";
export { JobError } from "./job/job-error.ts";
export { type JobFailure, JobReport, type JobReportData } from "./job/job-report.ts";
export { AsyncJobQueue } from "./queue/async-job-queue.ts";
export { JobQueue, type JobQueueRunOptions } from "./queue/job-queue.ts";
export type { AsyncJobQueueRunOptions } from "./queue/worker-pool.ts";
