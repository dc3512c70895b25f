import type { JobCounts } from "@nidus/jobs-durable";
import type { NameBacklog } from "@nidus/jobs-durable/backend";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Counts the jobs of every name. KEYS: the hash of names, with the first part of the queue's keys beside each. ARGV: Unix milliseconds, the
 * first part of the engine's own keys; the names that this process knows, each with its queue's keys, which are stored if Redis has lost
 * them. A Redis that is full stores none, and is counted all the same. Answers for each name: the name, the jobs that wait, are scheduled,
 * run, have succeeded, have failed and were cancelled, since when the oldest waiting job could have run, and when the oldest failed one
 * failed; or the name and why it cannot be counted. The keys of the queues share the hash's prefix, and so the slot of a cluster.
 *
 * BullMQ moves a delayed job to the waiting ones when a worker asks. Until then, a job waits if its time has come. Its score is the
 * millisecond times 4096, plus a number that keeps the jobs of one millisecond in order. The next job in line is at the right end of `wait`
 * and of `paused`, in which BullMQ 5 keeps the jobs of a paused queue, and at the left end of each priority in `prioritized`, whose scores
 * are the priority times 2^32, plus a number that keeps the jobs of one priority in order. The oldest of these counts, since a search
 * within the lists is expensive. The moment from which a job could run is in its data (see `StoredData`), else it is its schedule's time,
 * else the time of its enqueue. Skips times that no Date can have, which other programs may write.
 */
const countsScript = new Script(
  "nidusCounts",
  1,
  `
local now, base = tonumber(ARGV[1]), ARGV[2]
local due = (now + 1) * 0x1000 - 1
local function time(text)
  local ms = tonumber(text)
  return ms and ms >= 0 and ms <= 8640000000000000 and math.floor(ms) or nil
end
local function runAt(job)
  local data = job[3] or ''
  return time(job[4]) or time(string.match(data, '"runAtMs":(%d+)}$') or string.match(data, '"runAtMs":(%d+),"nonce":"[%x-]+"}$'))
    or time(string.match(job[2] or '', '"prevMillis":(%d+)')) or time(job[1])
end
local function nextOnes(keys)
  local ids = {}
  for _, list in ipairs({ 'wait', 'paused' }) do ids[#ids + 1] = redis.call('LINDEX', keys .. list, -1) or nil end
  local score = '-inf'
  for _ = 1, 20 do
    local first = redis.call('ZRANGEBYSCORE', keys .. 'prioritized', score, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not first[1] then break end
    ids[#ids + 1] = first[1]
    score = string.format('%.0f', (math.floor(first[2] / 0x100000000) + 1) * 0x100000000)
  end
  return ids
end
local function countsOf(name, keys)
  local dueCount = redis.call('ZCOUNT', keys .. 'delayed', '-inf', due)
  local oldest
  if dueCount > 0 then
    oldest = time(tonumber(redis.call('ZRANGE', keys .. 'delayed', 0, 0, 'WITHSCORES')[2]) / 0x1000)
  end
  for _, id in pairs(nextOnes(keys)) do
    local since = id and runAt(redis.pcall('HMGET', keys .. id, 'timestamp', 'opts', 'data', 'nidusRunAt'))
    if since and (not oldest or since < oldest) then oldest = since end
  end
  return {
    name,
    dueCount + redis.call('LLEN', keys .. 'wait') + redis.call('LLEN', keys .. 'paused') + redis.call('ZCARD', keys .. 'prioritized'),
    redis.call('ZCARD', keys .. 'delayed') - dueCount,
    redis.call('LLEN', keys .. 'active'),
    redis.call('ZCARD', keys .. 'completed'),
    redis.call('ZCARD', keys .. 'failed'),
    redis.call('ZCARD', base .. ':cancelled:' .. string.sub(keys, #base + 2, -2)),
    oldest or false,
    time(redis.call('ZRANGE', keys .. 'failed', 0, 0, 'WITHSCORES')[2]) or false,
  }
end
local counts = {}
for i = 3, #ARGV, 2 do redis.pcall('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) end
local names = redis.call('HGETALL', KEYS[1])
for i = 1, #names, 2 do
  local isCounted, answer = pcall(countsOf, names[i], names[i + 1])
  counts[#counts + 1] = isCounted and answer or { names[i], type(answer) == 'table' and answer.err or tostring(answer) }
end
return counts`,
);

type Answer = readonly [name: string, ...Numbers] | readonly [name: string, error: string];

type Numbers = readonly [
  waiting: number,
  scheduled: number,
  running: number,
  succeeded: number,
  deadLettered: number,
  cancelled: number,
  oldestMs: number | null,
  oldestFailedMs: number | null,
];

/** The counts of a job name, and when its oldest dead letter failed. */
export type CountsOfName = JobCounts & Pick<NameBacklog, "oldestDeadLetterAt">;

/**
 * Reads the counts of each job name, all at one moment, in one query. Leaves out a name whose keys another program has changed, and
 * tells `onError`. `namesKey` and `base` are those of `Queues`, and `ownKeys` has the keys of each queue that this process has opened, by name.
 */
export async function readCounts(
  client: RedisClient,
  namesKey: string,
  base: string,
  ownKeys: Readonly<Record<string, string>>,
  onError: (error: unknown) => void,
): Promise<ReadonlyMap<string, CountsOfName>> {
  const values = [namesKey, String(Date.now()), base, ...Object.entries(ownKeys).flat()];
  const answers = (await countsScript.run(client, values)) as Answer[];
  const byName = new Map<string, CountsOfName>();
  for (const [name, ...numbers] of answers) {
    if (isRefused(numbers)) onError(new Error(`the jobs named "${name}" cannot be counted: ${numbers[0]}`));
    else byName.set(name, countsFrom(numbers));
  }
  return byName;
}

function isRefused(numbers: Numbers | readonly [error: string]): numbers is readonly [error: string] {
  return numbers.length === 1;
}

function countsFrom([
  waiting,
  scheduled,
  running,
  succeeded,
  deadLettered,
  cancelled,
  oldestMs,
  oldestFailedMs,
]: Numbers): CountsOfName {
  return {
    waiting,
    scheduled,
    running,
    succeeded,
    deadLettered,
    cancelled,
    oldestWaitingAt: oldestMs === null ? undefined : new Date(oldestMs),
    oldestDeadLetterAt: oldestFailedMs === null ? undefined : new Date(oldestFailedMs),
  };
}
