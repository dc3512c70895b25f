/**
 * Returns the name of a job's BullMQ queue. Each job name has its own queue, since a BullMQ worker takes every job in its queue. Escapes
 * the ":", which BullMQ reserves, as in a URL. `queue` has no ".", so that no two pairs have the same name.
 */
export function queueName(queue: string, jobName: string): string {
  return `${queue}.${encodeURIComponent(jobName)}`;
}
