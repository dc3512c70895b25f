import { holdKey } from "./hold-key.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { freeUniqueKey } from "./unique-keys.ts";

/**
 * Cancels one job: removes a job that waits, as BullMQ's `remove` does, else notes a request for the worker that runs the job. Never
 * removes a job that BullMQ ties to a schedule or a flow, since these have to go on: its next delivery finds the request. KEYS: the first part of the queue's keys, the hash of requests, the hash of cancellations. ARGV: the job's id, Unix
 * milliseconds. Answers 1 if there was a job to cancel.
 */
const cancelScript = new Script(
  "nidusCancel",
  3,
  `${holdKey}
${freeUniqueKey}
local keys, id, now = KEYS[1], ARGV[1], ARGV[2]
local job = keys .. id
local function retainedMs()
  local fields = redis.call('HMGET', job, 'data', 'opts')
  if not string.find(fields[1] or '', '"nonce":"', 1, true) then return 0 end
  local isRead, opts = pcall(cjson.decode, fields[2])
  local keep = isRead and type(opts) == 'table' and opts.removeOnComplete
  return type(keep) == 'table' and (tonumber(keep.age) or 0) * 1000 or 0
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
  local heldMs = retainedMs()
  freeUniqueKey(keys, id)
  redis.call('DEL', job, job .. ':logs', job .. ':dependencies', job .. ':processed', job .. ':failed', job .. ':unsuccessful')
  if heldMs > 0 then holdKey(job, heldMs) end
  redis.call('HSET', KEYS[3], id, now)
  redis.call('HDEL', KEYS[2], id)
  redis.call('XADD', keys .. 'events', 'MAXLEN', '~', redis.call('HGET', keys .. 'meta', 'opts.maxLenEvents') or 10000,
    '*', 'event', 'removed', 'jobId', id, 'prev', from)
else
  redis.call('HSET', KEYS[2], id, now)
end
return 1`,
);

/** The keys of a job's queue, and of the hashes with its notes. */
interface CancellingKeys {
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
  return (await cancelScript.run(client, values)) === 1;
}
