import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Turns dead letters into delayed jobs that are due. BullMQ then moves them to the waiting jobs, by their priority, also in a paused
 * queue. Makes a parent wait for it again, as BullMQ's `reprocessJob` does. KEYS: the first part of the queue's keys, the hash of
 * cancel requests. ARGV: ids. Answers those of dead letters.
 */
const redriveScript = new Script(
  "nidusRedrive",
  2,
  `
local keys = KEYS[1]
local function redrive(id)
local job = keys .. id
if redis.pcall('ZREM', keys .. 'failed', id) ~= 1 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HDEL', job, 'finishedOn', 'processedOn', 'failedReason', 'stacktrace', 'returnvalue', 'defa', 'atm', 'ats', 'stc',
  'nidusTold', 'progress', 'nidusUnreadable', 'nidusCarrier')
redis.call('HSET', job, 'nidusRunAt', now, 'delay', 0)
redis.call('HDEL', KEYS[2], id)
local parent = redis.call('HGET', job, 'parentKey')
if parent and redis.call('EXISTS', parent) == 1 and
  (redis.call('ZREM', parent .. ':unsuccessful', job) == 1 or redis.call('HDEL', parent .. ':failed', job) == 1) then
  redis.call('SADD', parent .. ':dependencies', job)
end
redis.call('ZADD', keys .. 'delayed', now * 0x1000, id)
redis.call('ZADD', keys .. 'marker', now, '1')
redis.call('XADD', keys .. 'events', 'MAXLEN', '~', redis.call('HGET', keys .. 'meta', 'opts.maxLenEvents') or 10000,
  '*', 'event', 'waiting', 'jobId', id, 'prev', 'failed')
return true
end
local redriven = {}
for _, id in ipairs(ARGV) do
  if redrive(id) then redriven[#redriven + 1] = id end
end
return redriven`,
);

/** Turns a dead letter into a waiting job, in one step. Resolves to whether this call did it: one of several calls gets true. */
export async function redriveJob(
  client: RedisClient,
  keys: string,
  requests: string,
  jobId: string,
): Promise<boolean> {
  return (await redriveJobs(client, keys, requests, [jobId])).length > 0;
}

/** Turns dead letters into waiting jobs, in one step. Resolves to their ids. */
export async function redriveJobs(
  client: RedisClient,
  keys: string,
  requests: string,
  jobIds: readonly string[],
): Promise<readonly string[]> {
  return (await redriveScript.run(client, [keys, requests, ...jobIds])) as string[];
}
