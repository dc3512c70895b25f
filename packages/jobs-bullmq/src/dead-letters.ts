import type { DeadLetter } from "@nidus/jobs-durable";
import { envelopeFrom } from "@nidus/jobs-durable/backend";
import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";
import { countOf, timeOf } from "./stored-data.ts";

/**
 * KEYS: the hash of names. ARGV: how many at most, and the first parts of the keys of queues. Answers the newest failed jobs of each queue: the queue's
 * place among the arguments, the id, when it failed, and fields. A queue whose keys are not BullMQ's has none.
 */
const newest = new Script(
  "nidusDeadLetters",
  1,
  `
local letters = {}
for index = 2, #ARGV do
  local failed = redis.pcall('ZREVRANGE', ARGV[index] .. 'failed', 0, ARGV[1] - 1, 'WITHSCORES')
  for i = 1, #failed, 2 do
    local fields = redis.pcall('HMGET', ARGV[index] .. failed[i], 'data', 'opts', 'atm', 'stc', 'failedReason')
    if not fields.err then letters[#letters + 1] = { index - 2, failed[i], failed[i + 1], fields } end
  end
end
return letters`,
);

type Answer = readonly [
  queue: number,
  id: string,
  failedAtMs: string,
  fields: readonly [
    data: string | null,
    opts: string | null,
    made: string | null,
    stalled: string | null,
    reason: string | null,
  ],
];

/** The newest dead letters of all names, at most `limit`. Of what cannot be read, the payload is undefined. */
export async function readDeadLetters(
  client: RedisClient,
  namesKey: string,
  names: readonly string[],
  keysOf: (name: string) => string,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const answers = (await newest.run(client, [namesKey, String(limit), ...names.map(keysOf)])) as Answer[];
  return answers
    .sort(([, , a], [, , b]) => Number(b) - Number(a))
    .slice(0, limit)
    .map(([queue, id, failedAtMs, [data, opts, made, stalled, reason]]) => {
      const { attempts } = (parse(opts) ?? {}) as { readonly attempts?: unknown };
      return {
        id,
        jobName: names[queue] as string,
        payload: envelopeFrom(parse(data)).payload,
        attempts: Math.min(countOf(Number(made)) + countOf(Number(stalled)), countOf(attempts) || 1),
        error: reason ?? "unknown",
        failedAt: new Date(timeOf(Number(failedAtMs))),
      };
    });
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}
