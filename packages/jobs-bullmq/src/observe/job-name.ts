import { formatValue, requireText, warn } from "@nidus/jobs-core/adapter";
import type { Job } from "bullmq";

/** Returns the name under which a job is observed. Never throws. */
export type JobNamer<J extends Job> = (job: J) => string;

/**
 * Makes a function that names jobs for observers: by `jobName`, or else by their queue. If `jobName` throws or returns no text, the
 * queue's name is used, and a process warning says so once.
 */
export function jobNamer<J extends Job>(jobName: ((job: J) => string) | undefined): JobNamer<J> {
  let isWarned = false;
  return (job) => {
    try {
      if (jobName !== undefined) return requireText("the name from `jobName`", jobName(job));
    } catch (error) {
      if (!isWarned) warn(`a job is observed under the name of its queue: ${formatValue(error)}`);
      isWarned = true;
    }
    return job.queueName;
  };
}
