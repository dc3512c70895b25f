import { formatValue, requireText, warn } from "@nidus/jobs-core/adapter";

/**
 * For wrappers of bare queues: makes a function that names jobs for observers, by `jobName` or else by `queueOf`. It never throws. If
 * `jobName` throws or returns no text, the function uses the queue's name, and a process warning says so once.
 */
export function jobNamer<Job>(
  jobName: ((job: Job) => string) | undefined,
  queueOf: (job: Job) => string,
): (job: Job) => string {
  let isWarned = false;
  return (job) => {
    try {
      if (jobName !== undefined) return requireText("the name from `jobName`", jobName(job));
    } catch (error) {
      if (!isWarned) warn(`a job is observed under the name of its queue: ${formatValue(error)}`);
      isWarned = true;
    }
    return queueOf(job);
  };
}
