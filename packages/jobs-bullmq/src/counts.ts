import type { JobCounts } from "@nidus/jobs-durable";
import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";

/**
 * Of every job name: the name, what waits, what is scheduled, what runs, what has succeeded, what has failed, what was cancelled, and
 * since when the oldest of what waits could have run; or the name and why it cannot be counted. KEYS: the hash of names, with the
 * first part of its queue's keys beside each. ARGV: Unix milliseconds, the first part of the engine's own keys. The keys
 * of the queues share the hash's prefix, and with it the slot of a cluster.
 *
 * BullMQ moves a delayed job to those that wait when a worker asks: until then it is one whose time has come. Its score is the
 * millisecond times 4096, plus a number that keeps those of one millisecond in order. What is next in line is the right end of
 * `wait` and of `paused`, in which BullMQ 5 keeps what waits in a queue that is paused, and the left end of `prioritized`: the
 * oldest of these is told, since finding one within is expensive. A job could run from what its data say last, as they are written
 * here (see `StoredData`), else from its schedule's time, else from when it was enqueued. Other programs write jobs as well: times
 * that no Date can have are skipped.
 */
const counts = new Script(
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
local function countsOf(name, keys)
  local dueCount = redis.call('ZCOUNT', keys .. 'delayed', '-inf', due)
  local oldest
  if dueCount > 0 then
    oldest = time(tonumber(redis.call('ZRANGE', keys .. 'delayed', 0, 0, 'WITHSCORES')[2]) / 0x1000)
  end
  for _, id in pairs({
    redis.call('LINDEX', keys .. 'wait', -1),
    redis.call('LINDEX', keys .. 'paused', -1),
    redis.call('ZRANGE', keys .. 'prioritized', 0, 0)[1],
  }) do
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
    redis.call('HLEN', base .. ':cancelled:' .. string.sub(keys, #base + 2, -2)),
    oldest or false,
  }
end
local counts = {}
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
];

/**
 * Reads the counts of each job name, as they are at one moment, in one query. Leaves out a name whose keys another program has
 * spoilt, and tells `onError`. `namesKey` and `base` as in `Queues`.
 */
export async function readCounts(
  client: RedisClient,
  namesKey: string,
  base: string,
  onError: (error: unknown) => void,
): Promise<ReadonlyMap<string, JobCounts>> {
  const values = [namesKey, String(Date.now()), base];
  const answers = (await counts.run(client, values)) as Answer[];
  const byName = new Map<string, JobCounts>();
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
]: Numbers): JobCounts {
  return {
    waiting,
    scheduled,
    running,
    succeeded,
    deadLettered,
    cancelled,
    oldestWaitingAt: oldestMs === null ? undefined : new Date(oldestMs),
  };
}
