import { setTimeout as pause } from "node:timers/promises";
import type { QueueConsumer } from "./queue-consumer.ts";
import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";

/** KEYS: the first part of a queue's keys. ARGV: what the tokens begin with. Answers id and token of each such lease, the newest first. */
const leased = new Script(
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

/**
 * Makes a job that could not be given out one that can: BullMQ counts in its fields, and fails if they are no numbers. An id that is not a job's is
 * taken out. KEYS: the first part of the queue's keys. ARGV: id, token. Answers whether there is a job.
 */
const mend = new Script(
  "nidusMend",
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

/** Resolves to whether there is a job, leased with this token. Its counts are numbers from now on. */
export async function mendJob(
  client: RedisClient,
  keys: string,
  id: string,
  token: string,
): Promise<boolean> {
  return (await mend.run(client, [keys, id, token])) === 1;
}

/**
 * Puts back jobs that were leased to a consumer by an answer that never arrived: a connection that breaks takes an answer with it, and
 * sends the command again. The newest goes back first, so that the oldest is the first to come again.
 */
export async function returnLostLeases(client: RedisClient, consumer: QueueConsumer): Promise<void> {
  const { tokens, keyPrefix } = consumer;
  const found = (await leased.run(client, [keyPrefix, tokens.prefix])) as string[];
  for (let index = 0; index < found.length; index += 2) {
    const [id, token] = [found[index] as string, found[index + 1] as string];
    // An answer that is on its way decides.
    while (tokens.isLost(id, token) === undefined && consumer.closing === undefined) await pause(20);
    if (tokens.isLost(id, token) && (await mendJob(client, keyPrefix, id, token))) {
      await consumer.giveBack(id, token);
    }
  }
}
