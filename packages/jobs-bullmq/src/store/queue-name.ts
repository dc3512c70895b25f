/**
 * BullMQ's name for the queue of a job: a worker takes whatever is in its queue, so that each job name has one of its own.
 * What BullMQ keeps for itself (":") is escaped, as in a URL. The first part has no "." of its own, so that no two pairs have one name.
 */
export function queueName(queue: string, jobName: string): string {
  return `${queue}.${encodeURIComponent(jobName)}`;
}
