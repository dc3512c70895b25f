import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** Writes a progress as BullMQ's `updateProgress` does: JSON in the field `progress`, and an event. */
export const saveProgressLua = `
local function saveProgress(keys, id, text)
  redis.call('HSET', keys .. id, 'progress', text)
  redis.call('XADD', keys .. 'events', 'MAXLEN', '~', redis.call('HGET', keys .. 'meta', 'opts.maxLenEvents') or 10000,
    '*', 'event', 'progress', 'jobId', id, 'data', text)
end`;

/** Saves the progress of a leased job. KEYS: the first part of the queue's keys. ARGV: id, token, JSON. Does nothing without the lease. */
const saveProgressScript = new Script(
  "nidusProgress",
  1,
  `${saveProgressLua}
local job = KEYS[1] .. ARGV[1]
if redis.call('GET', job .. ':lock') == ARGV[2] and redis.call('EXISTS', job) == 1 then saveProgress(KEYS[1], ARGV[1], ARGV[3]) end`,
);

/** Saves the progress of a job, if its lease holds. BullMQ's own `updateProgress` does not look for the lease. */
export async function saveProgress(
  client: RedisClient,
  keys: string,
  { id, token }: { readonly id: string; readonly token: string },
  progressText: string,
): Promise<void> {
  await saveProgressScript.run(client, [keys, id, token, progressText]);
}
