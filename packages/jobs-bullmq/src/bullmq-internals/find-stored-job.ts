import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { type FieldsAnswer, readFields, type StoredFields, storedFieldsFrom } from "./stored-fields.ts";

/**
 * Reads a job in any state. KEYS: the hash of names. ARGV: Unix milliseconds, 1 to read its payload, its id; of each queue the first part
 * of its keys and its sorted set of cancellations. Answers the place of its queue and its fields. A job that BullMQ has not yet moved from
 * the delayed ones waits if its time has come (see `readCounts`).
 */
const findStoredScript = new Script(
  "nidusFindStored",
  1,
  `${readFields}
local due, withPayload, id = (tonumber(ARGV[1]) + 1) * 0x1000 - 1, ARGV[2] == '1', ARGV[3]
local function stateOf(keys)
  if redis.call('ZSCORE', keys .. 'completed', id) then return 'succeeded' end
  if redis.call('ZSCORE', keys .. 'failed', id) then return 'dead-lettered' end
  local delayed = redis.call('ZSCORE', keys .. 'delayed', id)
  if delayed then return tonumber(delayed) > due and 'scheduled' or 'waiting' end
  if redis.call('EXISTS', keys .. id .. ':lock') == 1 then return 'running' end
  for _, active in ipairs(redis.call('LRANGE', keys .. 'active', 0, -1)) do
    if active == id then return 'running' end
  end
  return 'waiting'
end
for i = 4, #ARGV, 2 do
  local keys, record = ARGV[i], ARGV[i + 1] .. ':' .. id
  local isRead, found = pcall(function()
    if redis.call('HEXISTS', keys .. id, 'timestamp') == 1 then return readFields(keys .. id, id, stateOf(keys), withPayload) end
    return readFields(record, id, 'cancelled', withPayload)
  end)
  if isRead and found then return { (i - 4) / 2, found } end
end
return {}`,
);

/** A queue, and where its cancelled jobs are. */
export interface ListedQueue {
  readonly jobName: string;
  /** The first part of the keys of the queue. */
  readonly keys: string;
  readonly cancellations: string;
}

/** Finds a job of any of these queues. */
export async function findStoredJob(
  client: RedisClient,
  namesKey: string,
  queues: readonly ListedQueue[],
  jobId: string,
  withPayload: boolean,
): Promise<{ readonly jobName: string; readonly fields: StoredFields } | undefined> {
  const places = queues.flatMap(({ keys, cancellations }) => [keys, cancellations]);
  const values = [namesKey, String(Date.now()), withPayload ? "1" : "0", jobId, ...places];
  const answer = (await findStoredScript.run(client, values)) as [] | [index: number, fields: FieldsAnswer];
  if (answer.length === 0) return undefined;
  const [index, fields] = answer;
  return { jobName: (queues[index] as ListedQueue).jobName, fields: storedFieldsFrom(fields) };
}
