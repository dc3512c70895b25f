import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Finds queues with a job that could start, in one look that takes none. KEYS: any of the keys. ARGV: Unix milliseconds of Redis's
 * clock; the first parts of the queues' keys. Answers the positions of those that have one, counted from 0.
 */
const readyScript = new Script(
  "nidusReady",
  1,
  `
local found = {}
local function has(command, ...)
  local answer = redis.pcall(command, ...)
  return type(answer) == 'number' and answer > 0
end
for i = 2, #ARGV do
  local keys = ARGV[i]
  if has('LLEN', keys .. 'wait') or has('ZCARD', keys .. 'prioritized')
    or has('ZCOUNT', keys .. 'delayed', 0, (ARGV[1] + 1) * 0x1000 - 1) then found[#found + 1] = i - 2 end
end
return found`,
);

/** Resolves to the positions of the queues that have a job that could start. */
export async function readyAmong(
  client: RedisClient,
  queueKeys: readonly string[],
  nowMs: number,
): Promise<readonly number[]> {
  return (await readyScript.run(client, [...queueKeys.slice(0, 1), String(nowMs), ...queueKeys])) as number[];
}
