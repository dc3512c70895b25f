/**
 * How processes tell each other by NOTIFY: of jobs that are due, and of awaited jobs that have ended. Both are bounded: a
 * channel has at most 63 bytes, and a payload, with the name of a queue, about half of the 8,000 that PostgreSQL takes.
 */
export interface Notifications {
  /** The channel of jobs. Its payload is the name of their queue, followed by `later` if they are not yet due. */
  readonly jobsChannel: string;
  /** The channel of jobs that have ended. Its payload is the id, a space, and the name of the queue. */
  readonly endsChannel: string;
  /** $1 payloads. Notifies of jobs, in several queues. */
  readonly notifyJobs: string;
  /** $1 queue. Announces that the ends of its jobs are awaited, for as long as the connection lives. */
  readonly awaitEnds: string;
  /** $1 queue. Takes an announcement back. */
  readonly awaitNoEnds: string;
  /** Returns the call that notifies of jobs in a queue. `queue` is an SQL expression, as in the next two. */
  notifyJob(queue: string, isLater?: boolean): string;
  /** Returns the call that notifies of an end. */
  notifyEnd(id: string, queue: string): string;
  /**
   * Returns whether any connection awaits ends of a queue. A connection that does so shares the lock of the queue, so that no other one can
   * have it alone. The lock is given back at once: two statements that ask in the same microsecond may both find it taken.
   */
  isEndAwaited(queue: string): string;
}

/** The end of a notification about jobs that come due before idle workers poll again. */
export const later = " later";

/** Builds the parts of statements. `schema` has at most 50 characters, all of which may stand in a name without quotes. */
export function notifications(schema: string): Notifications {
  const jobsChannel = `nidus_${schema}`;
  const endsChannel = `nidus_${schema}_ends`;
  const lockOf = (queue: string): string => `hashtextextended('${endsChannel} ' || ${queue}, 0)`;
  return {
    jobsChannel,
    endsChannel,
    notifyJobs: `SELECT pg_notify('${jobsChannel}', payload) FROM unnest($1::text[]) AS payload`,
    awaitEnds: `SELECT pg_advisory_lock_shared(${lockOf("$1::text")})`,
    awaitNoEnds: `SELECT pg_advisory_unlock_shared(${lockOf("$1::text")})`,
    notifyJob: (queue, isLater = false) =>
      `pg_notify('${jobsChannel}', ${queue}${isLater ? ` || '${later}'` : ""})`,
    notifyEnd: (id, queue) => `pg_notify('${endsChannel}', ${id}::text || ' ' || ${queue})`,
    isEndAwaited: (queue) =>
      `CASE WHEN pg_try_advisory_lock(${lockOf(queue)}) THEN NOT pg_advisory_unlock(${lockOf(queue)}) ELSE TRUE END`,
  };
}
