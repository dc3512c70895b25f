import type { NewJob } from "@nidus/jobs-durable/backend";
import { maxInteger, priorityOf, retryLimitOf } from "./dialect.ts";
import type { PgBossJobOptions } from "./pg-boss-job-options.ts";
import type { InsertedColumns } from "./queue-statements.ts";
import { singletonKeyOf, uniqueForMs } from "./unique-keys.ts";

/** The member of a job's data that is 0 if the job is to be removed at its end. pg-boss takes a `deletion_seconds` of 0 for never. */
export const retainMember: string = "retainMs";

/** Returns the JSON text of a job as the statement `insert` takes it. The envelope stands in it as it is. */
export function insertedJobText(job: NewJob, { group }: PgBossJobOptions): string {
  const { id, runAt, priority, uniqueKey, retainMs } = job;
  const columns: InsertedColumns = {
    id,
    run_at: runAt?.toISOString(),
    max_attempts: retryLimitOf(job),
    // No priority is the first one, and the statement's default.
    priority: priority === 0 ? undefined : priorityOf(job),
    singleton_key: uniqueKey === undefined ? undefined : singletonKeyOf(uniqueKey),
    retain_seconds: retainMs === undefined ? undefined : retainSecondsOf(retainMs),
    group_id: group?.id,
    group_tier: group?.tier,
  };
  return `{"data":${dataTextOf(job)},${JSON.stringify(columns).slice(1)}`;
}

/** A job that is removed at its end and survives that, as a cancelled one may, is kept for as short as pg-boss can. */
function retainSecondsOf(retainMs: number): number {
  return Math.min(Math.max(Math.ceil(retainMs / 1000), 1), maxInteger);
}

/** The envelope as it is, with what the engine reads beside it. */
function dataTextOf({ envelopeText, retainMs, ...job }: NewJob): string {
  const own = JSON.stringify({
    [uniqueForMs]: job.uniqueForMs,
    [retainMember]: retainMs === 0 ? 0 : undefined,
  });
  if (own === "{}") return envelopeText;
  return envelopeText === "{}" ? own : `${envelopeText.slice(0, -1)},${own.slice(1)}`;
}
