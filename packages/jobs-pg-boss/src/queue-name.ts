/** pg-boss's name for the queue of a job: the job's own, with other characters than pg-boss takes as hexadecimal code points. */
export function queueName(jobName: string): string {
  return jobName.replace(/[^\w.-]/gu, (character) => `/${character.codePointAt(0)?.toString(16)}/`);
}

/** The job's name again. */
export function jobName(queue: string): string {
  return queue.replace(/\/([0-9a-f]+)\//g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}
