import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";

/**
 * KEYS: the hash of names. ARGV: an id, and the first parts of the keys of queues. Answers which of the queues have a job of that id: BullMQ has
 * other keys beside the jobs, which any id may name.
 */
const find = new Script(
  "nidusFind",
  1,
  `
local found = {}
for index = 2, #ARGV do
  if redis.pcall('HEXISTS', ARGV[index] .. ARGV[1], 'timestamp') == 1 then found[#found + 1] = index - 2 end
end
return found`,
);

/** The names among these that have a job of this id: ids of other programs may come in several. */
export async function namesWithJob(
  client: RedisClient,
  namesKey: string,
  names: readonly string[],
  keysOf: (name: string) => string,
  jobId: string,
): Promise<readonly string[]> {
  const found = (await find.run(client, [namesKey, jobId, ...names.map(keysOf)])) as number[];
  return found.map((index) => names[index] as string);
}

/**
 * Makes a dead letter a delayed job that is due: BullMQ brings it to those that wait, by its priority, also of a queue that is paused. As BullMQ's
 * `reprocessJob`, it makes a parent wait for it again. KEYS: the first part of the queue's keys, the hash of cancel requests. ARGV: the job's id.
 */
const redrive = new Script(
  "nidusRedrive",
  2,
  `
local keys, id = KEYS[1], ARGV[1]
local job = keys .. id
if redis.pcall('ZREM', keys .. 'failed', id) ~= 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HDEL', job, 'finishedOn', 'processedOn', 'failedReason', 'stacktrace', 'returnvalue', 'defa', 'atm', 'ats', 'stc',
  'nidusTold', 'nidusUnreadable')
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
return 1`,
);

/** Makes a dead letter a waiting job again, in one step. Resolves to whether there was one: of several calls, one is answered with true. */
export async function redriveJob(
  client: RedisClient,
  keys: string,
  requests: string,
  jobId: string,
): Promise<boolean> {
  return (await redrive.run(client, [keys, requests, jobId])) === 1;
}
