import type { NewJob } from "@nidus/jobs-durable/backend";
import type { PgBossLike } from "../database/pg-boss-like.ts";

/** The differences between the majors of pg-boss. */
export interface Dialect {
  /** The type of the options that `create_queue` takes. */
  readonly queueOptionsType: "json" | "jsonb";
  /** The condition under which a due job may be fetched. */
  readonly isReady: string;
  /** Returns the columns that a lease of so many seconds sets, and each of its renewals. */
  renewal(leaseSeconds: number): string;
  /**
   * Returns the first `start_after` of the jobs that wait, as an SQL expression that one of pg-boss's indexes answers. Null if there are
   * none, or no such index. `isOf` is the condition on the name of the job `j`.
   */
  firstStart(schema: string, isOf: string): string;
  /** Returns the columns of a new job (`new`) that only this version has, with their values. */
  storage(settings: StorageSettings): Readonly<Record<string, string>>;
  /** Whether pg-boss stores with each job how long to retain it. */
  readonly hasRetention: boolean;
  /** Whether an index has all jobs that have not ended, by their state. */
  readonly hasIndexOfLiveJobs: boolean;
  /** Whether a job can belong to a group. */
  readonly hasGroups: boolean;
}

/** For how long jobs are leased and kept, in whole seconds as pg-boss counts. */
export interface StorageSettings {
  readonly leaseSeconds: number;
  readonly retainSucceededSeconds: number;
  readonly retainDeadLettersSeconds: number;
}

/** The largest `integer` of PostgreSQL. */
export const maxInteger: number = 2 ** 31 - 1;

/**
 * Returns pg-boss's `retryLimit`, which allows one delivery more than `maxAttempts`. If the worker of the last attempt dies, that
 * delivery makes the job a dead letter.
 */
export function retryLimitOf({ maxAttempts }: Pick<NewJob, "maxAttempts">): number {
  return Math.min(maxAttempts, maxInteger);
}

/** Returns pg-boss's priority: its highest one comes first, and other programs have 0 unless they say otherwise. */
export function priorityOf({ priority }: Pick<NewJob, "priority">): number {
  return 0 - priority;
}

function firstStart(schema: string, condition: string): string {
  return `(SELECT j.start_after FROM ${schema}.job j WHERE ${condition} ORDER BY j.start_after LIMIT 1)`;
}

const version10: Dialect = {
  queueOptionsType: "json",
  isReady: "TRUE",
  renewal: (leaseSeconds) => `started_on = now(), expire_in = ${leaseSeconds} * interval '1 second'`,
  firstStart: (schema, isOf) => firstStart(schema, `${isOf} AND j.state < 'active'`),
  storage: () => ({}),
  hasRetention: false,
  hasIndexOfLiveJobs: false,
  hasGroups: false,
};

const version12: Dialect = {
  queueOptionsType: "jsonb",
  isReady: "NOT j.blocked",
  renewal: (leaseSeconds) => `started_on = now(), heartbeat_on = now(), expire_seconds = ${leaseSeconds}`,
  // The index has the state before the start, so each state is asked for by itself.
  firstStart(schema, isOf) {
    const [created, retry] = ["created", "retry"].map((state) =>
      firstStart(schema, `${isOf} AND j.state = '${state}' AND NOT j.blocked`),
    );
    return `CASE WHEN to_regclass('${schema}.job_common_i14') IS NOT NULL THEN LEAST(${created}, ${retry}) END`;
  },
  storage: ({ retainSucceededSeconds }) => ({
    deletion_seconds: `COALESCE(new.retain_seconds, ${Math.min(retainSucceededSeconds, maxInteger)})`,
    group_id: "new.group_id",
    group_tier: "new.group_tier",
  }),
  hasRetention: true,
  hasIndexOfLiveJobs: true,
  hasGroups: true,
};

/** Chooses the dialect of a pg-boss by a method that only version 12 has, since no pg-boss tells its version. */
export function dialectOf(boss: PgBossLike): Dialect {
  return "touch" in boss ? version12 : version10;
}
