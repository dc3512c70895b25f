import { isDeepStrictEqual } from "node:util";
import type { JobSchedulerJson, Queue } from "bullmq";
import { type RedisClient, readField, scheduledJobId, schedulerId } from "../bullmq-internals/index.ts";
import type { StoredData } from "./stored-data.ts";

/** A schedule to store. */
export interface Schedule {
  readonly jobName: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly key: string;
  readonly data: StoredData;
  readonly options: object;
}

/**
 * Stores a schedule, unless the same one is stored: storing it again would move a late run into the future. A run is late if it came
 * due while no worker was up. If the cron expression and the time zone are unchanged and the rest is not, a late run starts at once.
 *
 * @throws (rejects with) TypeError for a cron expression that BullMQ cannot read, or that never comes due.
 */
export async function storeSchedule(
  client: RedisClient,
  queue: Queue<StoredData>,
  schedule: Schedule,
): Promise<void> {
  const { cron, timeZone: tz, key, jobName } = schedule;
  await requireCron(cron, tz);
  const id = schedulerId(key);
  const stored = await queue.getJobScheduler(id);
  const isSameTime = stored?.pattern === cron && stored.tz === tz;
  if (isSameTime && isSameJob(stored, schedule) && (await hasNextRun(client, queue, id, stored.next))) return;
  const immediately = isSameTime && (stored.next ?? Number.POSITIVE_INFINITY) <= Date.now();
  const template = { name: jobName, data: schedule.data, opts: schedule.options };
  await queue.upsertJobScheduler(id, { pattern: cron, tz, ...(immediately && { immediately }) }, template);
}

/** @throws (rejects with) TypeError */
async function requireCron(cron: string, tz: string): Promise<void> {
  // Older versions of BullMQ do not export it, and the wrapper for processors must load with them.
  const { defaultRepeatStrategy } = await import("bullmq");
  let next: unknown;
  try {
    next = await defaultRepeatStrategy(Date.now(), { pattern: cron, tz });
  } catch (error) {
    throw new TypeError(`expected \`cron\` to be a cron expression, got "${cron}"`, { cause: error });
  }
  if (next === undefined) {
    throw new TypeError(`expected \`cron\` to come due, got "${cron}", which never does`);
  }
}

/** Tells whether the stored schedule enqueues the same job. */
function isSameJob({ name, template }: JobSchedulerJson<StoredData>, schedule: Schedule): boolean {
  const { data, opts } = template ?? {};
  const wanted = JSON.parse(JSON.stringify([schedule.jobName, schedule.data, schedule.options]));
  return isDeepStrictEqual([name, data, opts], wanted);
}

/** Tells whether a schedule's next run is stored, in any state. If another program has removed it, no run would follow. */
async function hasNextRun(
  client: RedisClient,
  queue: Queue<StoredData>,
  id: string,
  nextMs: number | undefined,
): Promise<boolean> {
  const [timestamp] = await readField(client, queue.toKey(""), [scheduledJobId(id, nextMs)], "timestamp");
  return timestamp != null;
}
