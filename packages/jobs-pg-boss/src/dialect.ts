import type { NewJob } from "@nidus/jobs-durable";
import type { PgBossLike, SqlDatabase } from "./pg-boss-like.ts";

/** What the majors of pg-boss do differently. */
export interface Dialect {
  createQueue(boss: PgBossLike, schema: string, queue: string): Promise<unknown>;
  /** Stores jobs of one queue in one statement. What has an id that is taken is left out. */
  insert(
    boss: PgBossLike,
    queue: string,
    jobs: readonly object[],
    db: SqlDatabase | undefined,
  ): Promise<unknown>;
  /** A job as `insert` wants it. */
  row(queue: string, job: NewJob, settings: StorageSettings): object;
  /** The options of `send` and of a schedule. */
  options(job: Pick<NewJob, "maxAttempts">, settings: StorageSettings): object;
  /** Whether pg-boss knows of each job how long it is retained. */
  readonly hasRetention: boolean;
  readonly hasScheduleKeys: boolean;
}

/** How jobs are stored, in the whole seconds of pg-boss. */
export interface StorageSettings {
  readonly leaseSeconds: number;
  readonly retainSucceededSeconds: number;
  readonly retainDeadLettersSeconds: number;
}

/** pg-boss deletes what has waited for too long; a job that was acknowledged must not go that way. */
const tenYearsSeconds = 10 * 365 * 24 * 60 * 60;

/** Workers that died count as attempts, so the last of them leaves one more delivery, which gives the job up in the open. */
function retryLimitOf({ maxAttempts }: Pick<NewJob, "maxAttempts">): number {
  return Math.min(maxAttempts, 2 ** 31 - 1);
}

const version10: Dialect = {
  // Its createQueue takes no turns: two at a time each lock its table of queues, and then want it alone, which is a deadlock.
  createQueue: (boss, schema, queue) =>
    boss.getDb().executeSql(
      `WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended($3, 0)))
      SELECT ${schema}.create_queue($1, $2::json) FROM turn`,
      [queue, '{"policy":"standard"}', `${schema}.create_queue`],
    ),
  insert: (boss, _queue, jobs, db) =>
    (boss as unknown as Insert10).insert(jobs, db === undefined ? {} : { db }),
  row: (queue, job, { leaseSeconds }) => ({
    id: job.id,
    name: queue,
    data: job.envelope,
    startAfter: job.runAt?.toISOString(),
    retryLimit: retryLimitOf(job),
    expireInSeconds: leaseSeconds,
    keepUntil: keepUntil(job.runAt),
  }),
  options: (job, { leaseSeconds }) => ({
    retryLimit: retryLimitOf(job),
    retryDelay: 0,
    retryBackoff: false,
    expireInSeconds: leaseSeconds,
    retentionSeconds: tenYearsSeconds,
    // For schedules, whose options become those of an insert.
    keepUntil: keepUntil(undefined),
  }),
  hasRetention: false,
  hasScheduleKeys: false,
};

function keepUntil(runAt: Date | undefined): string {
  return new Date((runAt?.getTime() ?? Date.now()) + tenYearsSeconds * 1000).toISOString();
}

const version12: Dialect = {
  createQueue: (boss, _schema, queue) => boss.createQueue(queue),
  insert: (boss, queue, jobs, db) =>
    (boss as unknown as Insert12).insert(queue, jobs, db === undefined ? {} : { db }),
  row: (_queue, job, settings) => ({
    id: job.id,
    data: job.envelope,
    startAfter: job.runAt?.toISOString(),
    ...version12.options(job, settings),
  }),
  options: (job, { leaseSeconds, retainSucceededSeconds }) => ({
    retryLimit: retryLimitOf(job),
    retryDelay: 0,
    retryBackoff: false,
    expireInSeconds: leaseSeconds,
    retentionSeconds: tenYearsSeconds,
    deleteAfterSeconds: retainSucceededSeconds,
  }),
  hasRetention: true,
  hasScheduleKeys: true,
};

interface Insert10 {
  insert(jobs: readonly object[], options: { db?: SqlDatabase }): Promise<unknown>;
}

interface Insert12 {
  insert(queue: string, jobs: readonly object[], options: { db?: SqlDatabase }): Promise<unknown>;
}

/** By what only the newer one has: neither says its version. */
export function dialectOf(boss: PgBossLike): Dialect {
  return "touch" in boss ? version12 : version10;
}
