import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";

/**
 * Cancels one job: takes it out where it waits, as BullMQ's `remove` does, else notes the request for the worker that runs it. What
 * BullMQ ties to something else (a schedule, a flow, a deduplication) is never taken out, since that has to go on: it finds the
 * request when it is delivered. Answers whether there was anything to cancel.
 *
 * KEYS: the first part of the queue's keys, the hash of requests, the hash of cancellations. ARGV: the job's id, Unix milliseconds.
 */
const cancel = new Script(
  "nidusCancel",
  3,
  `
local keys, id, now = KEYS[1], ARGV[1], ARGV[2]
local job = keys .. id
if redis.call('EXISTS', job) == 0 or redis.call('ZSCORE', keys .. 'completed', id) or redis.call('ZSCORE', keys .. 'failed', id) then
  return 0
end
local ties = redis.call('HMGET', job, 'rjk', 'parentKey', 'deid')
local isTied = ties[1] or ties[2] or ties[3]
local from = not isTied and (
  redis.call('ZREM', keys .. 'delayed', id) == 1 and 'delayed' or redis.call('ZREM', keys .. 'prioritized', id) == 1 and 'prioritized'
  or redis.call('LREM', keys .. 'wait', 1, id) == 1 and 'wait' or redis.call('LREM', keys .. 'paused', 1, id) == 1 and 'paused')
if from then
  redis.call('DEL', job, job .. ':logs', job .. ':dependencies', job .. ':processed', job .. ':failed', job .. ':unsuccessful')
  redis.call('HSET', KEYS[3], id, now)
  redis.call('HDEL', KEYS[2], id)
  redis.call('XADD', keys .. 'events', 'MAXLEN', '~', redis.call('HGET', keys .. 'meta', 'opts.maxLenEvents') or 10000,
    '*', 'event', 'removed', 'jobId', id, 'prev', from)
else
  redis.call('HSET', KEYS[2], id, now)
end
return 1`,
);

/** Where a job is, and where notes of it are kept. */
export interface CancellingKeys {
  /** The first part of the keys of the job's queue. */
  readonly queue: string;
  readonly requests: string;
  readonly cancellations: string;
}

/** Cancels a job that has not ended, in one step. Resolves to whether there was one. */
export async function cancelJob(
  client: RedisClient,
  { queue, requests, cancellations }: CancellingKeys,
  jobId: string,
): Promise<boolean> {
  const values = [queue, requests, cancellations, jobId, String(Date.now())];
  return (await cancel.run(client, values)) === 1;
}
