import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Frees the deduplication key of a job, unless another job holds the key by now. BullMQ does it when a job ends, and when `remove` removes
 * it.
 */
export const freeUniqueKey = `
local function freeUniqueKey(keys, id)
  local key = redis.pcall('HGET', keys .. id, 'deid')
  if type(key) ~= 'string' or redis.pcall('GET', keys .. 'de:' .. key) ~= id then return end
  redis.call('DEL', keys .. 'de:' .. key)
end`;

/**
 * Finds the job that holds a deduplication key: its id, or false. A key that holds for a time expires by itself. Frees any other key if its
 * job has ended or is gone, which other programs can bring about.
 */
export const findHolder = `
local function findHolder(keys, uniqueKey)
  local place = keys .. 'de:' .. uniqueKey
  local id = redis.pcall('GET', place)
  if type(id) ~= 'string' then return false end
  if redis.call('PTTL', place) >= 0 then return id end
  local isThere = redis.pcall('HEXISTS', keys .. id, 'timestamp') == 1
  if isThere and not redis.call('ZSCORE', keys .. 'completed', id) and not redis.call('ZSCORE', keys .. 'failed', id) then return id end
  redis.call('DEL', place)
  return false
end`;

/** KEYS: the first part of the queue's keys. ARGV: the key. */
const holderScript = new Script("nidusHolder", 1, `${findHolder}\nreturn findHolder(KEYS[1], ARGV[1])`);

/** Resolves to the id of the job that holds a unique key. `keys` is the first part of the queue's keys. */
export async function holderOfKey(
  client: RedisClient,
  keys: string,
  uniqueKey: string,
): Promise<string | undefined> {
  return ((await holderScript.run(client, [keys, uniqueKey])) as string | null) ?? undefined;
}
