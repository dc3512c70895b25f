/**
 * Returns the queue of a job name. It is the name itself, with each character that pg-boss refuses as its hexadecimal code point. If
 * the name would be that of pg-boss's own queues, its first character is encoded too.
 */
export function queueName(jobName: string): string {
  return jobName.replace(
    /^_(?=_pgboss__)|[^\w.-]/gu,
    (character) => `/${character.codePointAt(0)?.toString(16)}/`,
  );
}

/** Returns the job name of a queue. A queue that `queueName` cannot have named is another program's, and keeps its name. */
export function jobName(queue: string): string {
  const name = queue.replace(/\/([0-9a-f]{1,6})\//g, (encoded, hex: string) => {
    const codePoint = Number.parseInt(hex, 16);
    return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : encoded;
  });
  return queueName(name) === queue ? name : queue;
}
