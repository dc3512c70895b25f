import { haveSameOptions, type NewJob } from "@nidus/jobs-durable/backend";
import { maxInteger, priorityOf, retryLimitOf } from "./dialect.ts";
import type { PgBossJobOptions } from "./pg-boss-job-options.ts";
import type { InsertedColumns } from "./queue-statements.ts";
import { singletonKeyOf, uniqueForMs } from "./unique-keys.ts";

/** The member of a job's data that is 0 if the job is to be removed at its end. pg-boss takes a `deletion_seconds` of 0 for never. */
export const retainMember: string = "retainMs";

/** Returns the JSON text of jobs as the statement `insert` takes it. The envelopes stand in it as they are. */
export function insertedJobsText(jobs: readonly NewJob[], options: PgBossJobOptions): string {
  let before: NewJob | undefined;
  let columns = "";
  const texts = jobs.map((job) => {
    if (before === undefined || !haveSameOptions(before, job)) columns = columnsText(job, options);
    before = job;
    return `{"id":"${job.id}","data":${dataTextOf(job)},${columns}`;
  });
  return `[${texts.join(",")}]`;
}

/** Returns the JSON text of all columns but id and data, without the bracket at its beginning. */
function columnsText(job: NewJob, { group }: PgBossJobOptions): string {
  const { runAt, priority, uniqueKey, retainMs } = job;
  const columns: InsertedColumns = {
    run_at: runAt?.toISOString(),
    max_attempts: retryLimitOf(job),
    // No priority is the first one, and the statement's default.
    priority: priority === 0 ? undefined : priorityOf(job),
    singleton_key: uniqueKey === undefined ? undefined : singletonKeyOf(uniqueKey),
    retain_seconds: retainMs === undefined ? undefined : retainSecondsOf(retainMs),
    group_id: group?.id,
    group_tier: group?.tier,
  };
  return JSON.stringify(columns).slice(1);
}

/** A job that is removed at its end and survives that, as a cancelled one may, is kept for as short as pg-boss can. */
function retainSecondsOf(retainMs: number): number {
  return Math.min(Math.max(Math.ceil(retainMs / 1000), 1), maxInteger);
}

/** The envelope as it is, with what the engine reads beside it. */
function dataTextOf(job: NewJob): string {
  const { envelopeText } = job;
  const retainMs = job.retainMs === 0 ? 0 : undefined;
  if (job.uniqueForMs === undefined && retainMs === undefined) return envelopeText;
  const own = JSON.stringify({ [uniqueForMs]: job.uniqueForMs, [retainMember]: retainMs });
  return envelopeText === "{}" ? own : `${envelopeText.slice(0, -1)},${own.slice(1)}`;
}
