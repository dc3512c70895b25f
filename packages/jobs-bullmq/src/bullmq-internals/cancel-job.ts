import { keepCancelled } from "./cancelled-jobs.ts";
import { holdKey } from "./hold-key.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { freeUniqueKey } from "./unique-keys.ts";

/**
 * Cancels one job: removes a job that waits, as BullMQ's `remove` does, else notes a request for the worker that runs the job. Never
 * removes a job that BullMQ ties to a schedule or a flow, since these have to go on: its next delivery finds the request. KEYS: the first
 * part of the queue's keys, the hash of requests, the sorted set of cancellations. ARGV: the job's id, Unix milliseconds, the milliseconds
 * for which a cancelled job is kept that says nothing about it. Answers 1 if there was a job to cancel.
 */
const cancelScript = new Script(
  "nidusCancel",
  3,
  `${holdKey}${freeUniqueKey}${keepCancelled}
local keys, id, now = KEYS[1], ARGV[1], ARGV[2]
local job = keys .. id
local function heldMs()
  return string.find(redis.call('HGET', job, 'data') or '', '"nonce":"', 1, true) and retainedMs(job, 0) or 0
end
if redis.call('HEXISTS', job, 'timestamp') == 0 or redis.call('ZSCORE', keys .. 'completed', id) or redis.call('ZSCORE', keys .. 'failed', id) then
  return 0
end
local ties = redis.call('HMGET', job, 'rjk', 'parentKey')
local isTied = ties[1] or ties[2]
local from = not isTied and (
  redis.call('ZREM', keys .. 'delayed', id) == 1 and 'delayed' or redis.call('ZREM', keys .. 'prioritized', id) == 1 and 'prioritized'
  or redis.call('LREM', keys .. 'wait', 1, id) == 1 and 'wait' or redis.call('LREM', keys .. 'paused', 1, id) == 1 and 'paused')
if from then
  local keyHeldMs = heldMs()
  keepCancelled(keys, id, KEYS[3], now, ARGV[3])
  freeUniqueKey(keys, id)
  redis.call('DEL', job, job .. ':logs', job .. ':dependencies', job .. ':processed', job .. ':failed', job .. ':unsuccessful')
  if keyHeldMs > 0 then holdKey(job, keyHeldMs) end
  redis.call('HDEL', KEYS[2], id)
  redis.call('XADD', keys .. 'events', 'MAXLEN', '~', redis.call('HGET', keys .. 'meta', 'opts.maxLenEvents') or 10000,
    '*', 'event', 'removed', 'jobId', id, 'prev', from)
else
  redis.call('HSET', KEYS[2], id, now)
end
return 1`,
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
  const values = [queue, requests, cancellations, jobId, String(Date.now()), String(retainedMs)];
  return (await cancelScript.run(client, values)) === 1;
}
