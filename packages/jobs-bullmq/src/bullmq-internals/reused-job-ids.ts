import { scheduledJobId } from "./job-keys.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

// The id of a scheduler's job follows from its moment. If the time of a schedule changes, an earlier job may have the id already.

/**
 * KEYS: the first part of the queue's keys. ARGV: the scheduler's id, the id of a job of its, when that is due. Answers 1 if there is such a
 * job that BullMQ would not replace: one that was started before its moment, and is not the next one.
 */
const takenScript = new Script(
  "nidusTaken",
  1,
  `
local keys = KEYS[1]
local fields = redis.call('HMGET', keys .. ARGV[2], 'timestamp', 'processedOn')
if not fields[1] then return 0 end
return (fields[2] or tonumber(redis.call('ZSCORE', keys .. 'repeat', ARGV[1]) or '') ~= tonumber(ARGV[3])) and 1 or 0`,
);

/** Resolves to whether a job of a scheduler was started before its moment. `keys` is the first part of the queue's keys. */
export async function isMomentTaken(
  client: RedisClient,
  keys: string,
  scheduler: string,
  dueMs: number,
): Promise<boolean> {
  const values = [keys, scheduler, scheduledJobId(scheduler, dueMs), String(dueMs)];
  return (await takenScript.run(client, values)) === 1;
}

/** KEYS: the sorted set of cancellations. ARGV: how ids begin. Answers ids, and the data of their jobs. */
const cancelledScript = new Script(
  "nidusCancelledRuns",
  1,
  `
local found = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(id, 1, #ARGV[1]) == ARGV[1] then found[#found + 1] = { id, redis.call('HGET', KEYS[1] .. ':' .. id, 'data') or '' } end
end
return found`,
);

/** A job of a scheduler that was cancelled. */
export interface CancelledRun {
  readonly id: string;
  readonly dueMs: number;
  /** The JSON text of its data. Empty if it is retained no longer. */
  readonly dataText: string;
}

/** Reads the cancelled jobs of a scheduler. */
export async function cancelledRunsOf(
  client: RedisClient,
  cancellations: string,
  scheduler: string,
): Promise<readonly CancelledRun[]> {
  const start = scheduledJobId(scheduler, 0).slice(0, -1);
  const found = (await cancelledScript.run(client, [cancellations, start])) as [id: string, data: string][];
  return found.map(([id, dataText]) => ({ id, dueMs: Number(id.slice(start.length)), dataText }));
}

/** KEYS: the sorted set of cancellations. ARGV: ids. */
const forgetScript = new Script(
  "nidusForgetRuns",
  1,
  `
for _, id in ipairs(ARGV) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('DEL', KEYS[1] .. ':' .. id)
end`,
);

/** Forgets cancelled jobs, since others will have their ids. */
export async function forgetCancelledRuns(
  client: RedisClient,
  cancellations: string,
  runs: readonly CancelledRun[],
): Promise<void> {
  await forgetScript.run(client, [cancellations, ...runs.map(({ id }) => id)]);
}
