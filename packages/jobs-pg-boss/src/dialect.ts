import type { NewJob } from "@nidus/jobs-durable/backend";
import type { PgBossLike } from "./pg-boss-like.ts";

/** What the majors of pg-boss do differently. */
export interface Dialect {
  /** The type of the options of `create_queue`. */
  readonly queueOptionsType: "json" | "jsonb";
  /** Whether a waiting job may be fetched, beside being due. */
  readonly isReady: string;
  /** What a lease sets, and each renewal of it. */
  readonly renewal: string;
  /** Columns of a new job that say how long it is leased and retained, with their values. */
  storage(settings: StorageSettings): Readonly<Record<string, string>>;
  /** The options of a schedule's jobs. */
  scheduleOptions(job: Pick<NewJob, "maxAttempts">, settings: StorageSettings): object;
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

/** pg-boss deletes what has waited for too long; a job that was acknowledged must not go that way. */
const tenYearsSeconds = 10 * 365 * 24 * 60 * 60;

/** Workers that died count as attempts, so the last of them leaves one more delivery, which gives the job up in the open. */
export function retryLimitOf({ maxAttempts }: Pick<NewJob, "maxAttempts">): number {
  return Math.min(maxAttempts, maxInteger);
}

const version10: Dialect = {
  queueOptionsType: "json",
  isReady: "TRUE",
  renewal: "started_on = now()",
  storage: ({ leaseSeconds }) => ({ expire_in: `${leaseSeconds} * interval '1 second'` }),
  scheduleOptions: (job, { leaseSeconds }) => ({
    retryLimit: retryLimitOf(job),
    retryDelay: 0,
    retryBackoff: false,
    expireInSeconds: leaseSeconds,
    keepUntil: new Date(Date.now() + tenYearsSeconds * 1000).toISOString(),
  }),
  hasRetention: false,
  hasScheduleKeys: false,
};

const version12: Dialect = {
  queueOptionsType: "jsonb",
  isReady: "NOT j.blocked",
  renewal: "started_on = now(), heartbeat_on = now()",
  storage: ({ leaseSeconds, retainSucceededSeconds }) => ({
    expire_seconds: String(leaseSeconds),
    deletion_seconds: String(Math.min(retainSucceededSeconds, maxInteger)),
  }),
  scheduleOptions: (job, { leaseSeconds, retainSucceededSeconds }) => ({
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

/** By what only the newer one has: neither says its version. */
export function dialectOf(boss: PgBossLike): Dialect {
  return "touch" in boss ? version12 : version10;
}
