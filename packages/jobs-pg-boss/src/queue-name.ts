/**
 * pg-boss's name for the queue of a job: the job's own, with other characters than pg-boss takes as hexadecimal code points. So is
 * the first of a name that would otherwise be one of pg-boss's own queues.
 */
export function queueName(jobName: string): string {
  return jobName.replace(
    /^_(?=_pgboss__)|[^\w.-]/gu,
    (character) => `/${character.codePointAt(0)?.toString(16)}/`,
  );
}

/** The job's name again. A queue that `queueName` cannot have named is another program's, and has the name that it has. */
export function jobName(queue: string): string {
  const name = queue.replace(/\/([0-9a-f]{1,6})\//g, (encoded, hex: string) => {
    const codePoint = Number.parseInt(hex, 16);
    return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : encoded;
  });
  return queueName(name) === queue ? name : queue;
}
