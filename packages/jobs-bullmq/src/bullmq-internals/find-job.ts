import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Finds the queues that have a job with an id. BullMQ has other keys beside the jobs, which any id may name, so a job counts by its
 * `timestamp`. KEYS: the hash of names. ARGV: the id, the first part of each queue's keys. Answers the places of the queues in ARGV.
 */
const findScript = new Script(
  "nidusFind",
  1,
  `
local found = {}
for index = 2, #ARGV do
  if redis.pcall('HEXISTS', ARGV[index] .. ARGV[1], 'timestamp') == 1 then found[#found + 1] = index - 2 end
end
return found`,
);

/** Resolves to the job names whose queue has a job with this id. Other programs may give one id to several jobs. */
export async function namesWithJob(
  client: RedisClient,
  namesKey: string,
  names: readonly string[],
  keysOf: (name: string) => string,
  jobId: string,
): Promise<readonly string[]> {
  const found = (await findScript.run(client, [namesKey, jobId, ...names.map(keysOf)])) as number[];
  return found.map((index) => names[index] as string);
}
