import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** Lists leases. KEYS: the first part of the queue's keys. ARGV: the beginning of the tokens. Answers ids and tokens in turn, newest first. */
const leasesScript = new Script(
  "nidusLeased",
  1,
  `
local found = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. 'active', 0, -1)) do
  local token = redis.pcall('GET', KEYS[1] .. id .. ':lock')
  if type(token) == 'string' and string.sub(token, 1, #ARGV[1]) == ARGV[1] then
    found[#found + 1] = id
    found[#found + 1] = token
  end
end
return found`,
);

/** Resolves to the leases of a queue whose token begins with a text, newest first. */
export async function leasesWithToken(
  client: RedisClient,
  keys: string,
  tokenPrefix: string,
): Promise<readonly { readonly id: string; readonly token: string }[]> {
  const found = (await leasesScript.run(client, [keys, tokenPrefix])) as string[];
  return Array.from({ length: found.length / 2 }, (_, index) => ({
    id: found[2 * index] as string,
    token: found[2 * index + 1] as string,
  }));
}

/**
 * Repairs the counts of a job: BullMQ adds to them, and fails if they are no numbers. Drops an id that is not a job's. KEYS: the
 * first part of the queue's keys. ARGV: id, token. Answers 1 if there is a job.
 */
const repairScript = new Script(
  "nidusRepair",
  1,
  `
local job, id = KEYS[1] .. ARGV[1], ARGV[1]
if redis.call('GET', job .. ':lock') ~= ARGV[2] then return 0 end
if redis.call('TYPE', job).ok ~= 'hash' then
  redis.call('LREM', KEYS[1] .. 'active', 0, id)
  redis.call('DEL', job .. ':lock')
  return 0
end
for _, field in ipairs({ 'ats', 'atm', 'stc' }) do
  local count = redis.call('HGET', job, field)
  if count and not (string.match(count, '^%d+$') and #count < 10) then
    redis.call('HSET', job, field, field == 'ats' and 1 or 0, 'nidusUnreadable', 'its counts of attempts are no numbers')
  end
end
return 1`,
);

/** Repairs the counts of a leased job. Resolves to whether there is a job that is leased with this token. */
export async function repairJob(
  client: RedisClient,
  keys: string,
  id: string,
  token: string,
): Promise<boolean> {
  return (await repairScript.run(client, [keys, id, token])) === 1;
}
