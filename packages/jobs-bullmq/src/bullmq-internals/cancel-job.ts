import { keepCancelled } from "./cancelled-jobs.ts";
import { holdKey } from "./hold-key.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { freeUniqueKey } from "./unique-keys.ts";

/**
 * Cancels jobs: removes a job that waits, as BullMQ's `remove` does, else notes a request for the worker that runs the job. Never
 * removes a job that BullMQ ties to a schedule or a flow, since these have to go on: its next delivery finds the request. KEYS: the first
 * part of the queue's keys, the hash of requests, the sorted set of cancellations. ARGV: Unix milliseconds, the milliseconds for
 * which a cancelled job is kept that says nothing about it, 1 to leave out jobs that have a request, ids. Answers the ids of the jobs that
 * had not ended.
 */
const cancelScript = new Script(
  "nidusCancel",
  3,
  `${holdKey}${freeUniqueKey}${keepCancelled}
local keys, now = KEYS[1], ARGV[1]
local function heldMs(job)
  return string.find(redis.call('HGET', job, 'data') or '', '"nonce":"', 1, true) and retainedMs(job, 0) or 0
end
local function cancel(id)
local job = keys .. id
if redis.call('HEXISTS', job, 'timestamp') == 0 or redis.call('ZSCORE', keys .. 'completed', id) or redis.call('ZSCORE', keys .. 'failed', id) then
  return false
end
if ARGV[3] == '1' and redis.call('HEXISTS', KEYS[2], id) == 1 then return false end
local ties = redis.call('HMGET', job, 'rjk', 'parentKey')
local isTied = ties[1] or ties[2]
local from = not isTied and (
  redis.call('ZREM', keys .. 'delayed', id) == 1 and 'delayed' or redis.call('ZREM', keys .. 'prioritized', id) == 1 and 'prioritized'
  or redis.call('LREM', keys .. 'wait', 1, id) == 1 and 'wait' or redis.call('LREM', keys .. 'paused', 1, id) == 1 and 'paused')
if from then
  local keyHeldMs = heldMs(job)
  keepCancelled(keys, id, KEYS[3], now, ARGV[2])
  freeUniqueKey(keys, id)
  redis.call('DEL', job, job .. ':logs', job .. ':dependencies', job .. ':processed', job .. ':failed', job .. ':unsuccessful')
  if keyHeldMs > 0 then holdKey(job, keyHeldMs) end
  redis.call('HDEL', KEYS[2], id)
  redis.call('XADD', keys .. 'events', 'MAXLEN', '~', redis.call('HGET', keys .. 'meta', 'opts.maxLenEvents') or 10000,
    '*', 'event', 'removed', 'jobId', id, 'prev', from)
else
  redis.call('HSET', KEYS[2], id, now)
end
return true
end
local cancelled = {}
for i = 4, #ARGV do
  local isDone, isCancelled = pcall(cancel, ARGV[i])
  if not isDone and #ARGV == 4 then error(isCancelled) end
  if isDone and isCancelled then cancelled[#cancelled + 1] = ARGV[i] end
end
return cancelled`,
);

/** The keys of a job's queue and of its notes. */
interface CancellingKeys {
  /** The first part of the keys of the job's queue. */
  readonly queue: string;
  readonly requests: string;
  readonly cancellations: string;
  /** Milliseconds for which a cancelled job is kept that says nothing about it. */
  readonly retainedMs: number;
}

/** Cancels a job that has not ended, in one step. Resolves to whether there was one. */
export async function cancelJob(
  client: RedisClient,
  { queue, requests, cancellations, retainedMs }: CancellingKeys,
  jobId: string,
): Promise<boolean> {
  const values = [queue, requests, cancellations, String(Date.now()), String(retainedMs), "0", jobId];
  return ((await cancelScript.run(client, values)) as string[]).length > 0;
}

/** Cancels jobs that have not ended, in one step. Resolves to their ids, without those that were requested to end before. */
export async function cancelJobs(
  client: RedisClient,
  { queue, requests, cancellations, retainedMs }: CancellingKeys,
  jobIds: readonly string[],
): Promise<readonly string[]> {
  const values = [queue, requests, cancellations, String(Date.now()), String(retainedMs), "1", ...jobIds];
  return (await cancelScript.run(client, values)) as string[];
}
