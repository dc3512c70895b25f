import type { JobCounts } from "@nidus/jobs-durable";
import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";

/**
 * Of every job name: the name, what waits, what is scheduled, what runs, what has succeeded, what has failed, and since when the oldest of what
 * waits could have run. KEYS: the hash of names, with the first part of its queue's keys beside each. ARGV: Unix milliseconds. The
 * keys of the queues share the hash's prefix, and with it the slot of a cluster, where that has a hash tag as BullMQ asks.
 *
 * BullMQ moves a delayed job to those that wait when a worker asks: until then it is one whose time has come. Its score is the
 * millisecond times 4096, plus a number that keeps those of one millisecond in order. What is next in line is the right end of
 * `wait` and of `paused`, in which BullMQ 5 keeps what waits in a queue that is paused, and the left end of `prioritized`: the
 * oldest of these is told, since finding one within is expensive. A job could run from what its data say last, as they are written
 * here (see `StoredData`), else from its schedule's time, else from when it was enqueued.
 */
const counts = new Script(
  "nidusCounts",
  1,
  `
local now = tonumber(ARGV[1])
local due = (now + 1) * 0x1000 - 1
local function runAt(job)
  local data = job[3] or ''
  return tonumber(job[4]) or tonumber(string.match(data, '"runAtMs":(%d+)}$') or string.match(data, '"runAtMs":(%d+),"nonce":"[%x-]+"}$')
    or string.match(job[2] or '', '"prevMillis":(%d+)') or job[1])
end
local counts = {}
local names = redis.call('HGETALL', KEYS[1])
for i = 1, #names, 2 do
  local keys = names[i + 1]
  local dueCount = redis.call('ZCOUNT', keys .. 'delayed', '-inf', due)
  local oldest
  if dueCount > 0 then
    oldest = math.floor(tonumber(redis.call('ZRANGE', keys .. 'delayed', 0, 0, 'WITHSCORES')[2]) / 0x1000)
  end
  for _, id in pairs({
    redis.call('LINDEX', keys .. 'wait', -1),
    redis.call('LINDEX', keys .. 'paused', -1),
    redis.call('ZRANGE', keys .. 'prioritized', 0, 0)[1],
  }) do
    local since = id and runAt(redis.call('HMGET', keys .. id, 'timestamp', 'opts', 'data', 'nidusRunAt'))
    if since and (not oldest or since < oldest) then oldest = since end
  end
  counts[#counts + 1] = {
    names[i],
    dueCount + redis.call('LLEN', keys .. 'wait') + redis.call('LLEN', keys .. 'paused') + redis.call('ZCARD', keys .. 'prioritized'),
    redis.call('ZCARD', keys .. 'delayed') - dueCount,
    redis.call('LLEN', keys .. 'active'),
    redis.call('ZCARD', keys .. 'completed'),
    redis.call('ZCARD', keys .. 'failed'),
    oldest or false,
  }
end
return counts`,
);

type Answer = readonly [name: string, ...Numbers];

type Numbers = readonly [
  waiting: number,
  scheduled: number,
  running: number,
  succeeded: number,
  deadLettered: number,
  oldestMs: number | null,
];

/** What BullMQ has of a job name: it keeps nothing of what was cancelled. */
export type QueueCounts = Omit<JobCounts, "cancelled">;

/** The counts of each job name, as they are at one moment: in one query. `namesKey` as in `Queues`. */
export async function readCounts(
  client: RedisClient,
  namesKey: string,
): Promise<ReadonlyMap<string, QueueCounts>> {
  const answers = (await counts.run(client, [namesKey, String(Date.now())])) as Answer[];
  return new Map(answers.map(([name, ...numbers]) => [name, countsFrom(numbers)]));
}

function countsFrom([waiting, scheduled, running, succeeded, deadLettered, oldestMs]: Numbers): QueueCounts {
  return {
    waiting,
    scheduled,
    running,
    succeeded,
    deadLettered,
    oldestWaitingAt: oldestMs === null ? undefined : new Date(oldestMs),
  };
}
