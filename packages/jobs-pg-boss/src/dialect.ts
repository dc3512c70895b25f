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
  options(job: Pick<NewJob, "maxAttempts" | "runAt">, settings: StorageSettings): object;
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

const maxInteger = 2 ** 31 - 1;
const tenYearsSeconds = 10 * 365 * 24 * 60 * 60;

/**
 * pg-boss deletes what has waited for too long, counted from when it could start, which may be long ago; a job that was acknowledged
 * must not go that way.
 */
function retentionSecondsOf({ runAt }: Pick<NewJob, "runAt">): number {
  const lateMs = runAt === undefined ? 0 : Math.max(0, Date.now() - runAt.getTime());
  return Math.min(tenYearsSeconds + Math.ceil(lateMs / 1000), maxInteger);
}

/** Workers that died count as attempts, so the last of them leaves one more delivery, which gives the job up in the open. */
function retryLimitOf({ maxAttempts }: Pick<NewJob, "maxAttempts">): number {
  return Math.min(maxAttempts, maxInteger);
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
    keepUntil: keepUntil(job),
  }),
  options: (job, { leaseSeconds }) => ({
    retryLimit: retryLimitOf(job),
    retryDelay: 0,
    retryBackoff: false,
    expireInSeconds: leaseSeconds,
    retentionSeconds: retentionSecondsOf(job),
    // For schedules, whose options become those of an insert.
    keepUntil: keepUntil(job),
  }),
  hasRetention: false,
  hasScheduleKeys: false,
};

/** PostgreSQL does not take years of more digits as JavaScript writes them. */
const lastMs = Date.UTC(9999, 11, 31);

function keepUntil(job: Pick<NewJob, "runAt">): string {
  const startMs = job.runAt?.getTime() ?? Date.now();
  return new Date(Math.min(startMs + retentionSecondsOf(job) * 1000, lastMs)).toISOString();
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
    retentionSeconds: retentionSecondsOf(job),
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
