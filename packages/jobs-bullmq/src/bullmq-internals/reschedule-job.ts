import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * A function for scripts: makes a job that waits or is delayed a delayed one, which BullMQ moves to the waiting ones when it is due, by its
 * priority. Returns whether there was such a job.
 */
export const delayJob = `
local function delayJob(keys, id, runAt)
  if redis.call('ZREM', keys .. 'delayed', id) == 0 and redis.call('ZREM', keys .. 'prioritized', id) == 0
    and redis.call('LREM', keys .. 'wait', 1, id) == 0 and redis.call('LREM', keys .. 'paused', 1, id) == 0 then
    return false
  end
  redis.call('ZADD', keys .. 'delayed', string.format('%.0f', runAt * 0x1000), id)
  local first = redis.call('ZRANGE', keys .. 'delayed', 0, 0, 'WITHSCORES')
  redis.call('ZADD', keys .. 'marker', string.format('%.0f', math.floor(tonumber(first[2]) / 0x1000)), '1')
  return true
end`;

/**
 * Moves the start of a job that waits or is delayed. KEYS: the first part of the queue's keys. ARGV: the job's id, Unix milliseconds. Answers
 * 1 if there was such a job.
 */
const rescheduleScript = new Script(
  "nidusReschedule",
  1,
  `${delayJob}
local keys, id, runAt = KEYS[1], ARGV[1], tonumber(ARGV[2])
local job = keys .. id
if redis.call('HEXISTS', job, 'timestamp') == 0 or not delayJob(keys, id, runAt) then return 0 end
local time = redis.call('TIME')
redis.call('HSET', job, 'nidusRunAt', ARGV[2], 'delay', string.format('%d', math.max(0, runAt - time[1] * 1000)))
return 1`,
);

/** Moves the start of a job, to Unix milliseconds of Redis's clock. Resolves to whether there was a job that had not started. */
export async function rescheduleJob(
  client: RedisClient,
  keys: string,
  jobId: string,
  runAtMs: number,
): Promise<boolean> {
  return (await rescheduleScript.run(client, [keys, jobId, String(runAtMs)])) === 1;
}
