import type { DeadLetter } from "@nidus/jobs-durable";
import { envelopeFrom } from "@nidus/jobs-durable/backend";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { countOf, timeOf } from "./stored-values.ts";

/**
 * Lists the newest failed jobs of each queue. KEYS: the hash of names. ARGV: how many at most, the first part of each queue's keys.
 * Answers for each job: the place of its queue in ARGV, its id, when it failed, and fields. Skips queues and jobs whose keys another
 * program has given another type.
 */
const deadLettersScript = new Script(
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

/** Resolves to the newest dead letters of all names, at most `limit`. A payload that cannot be read is undefined. */
export async function readDeadLetters(
  client: RedisClient,
  namesKey: string,
  names: readonly string[],
  keysOf: (name: string) => string,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const answers = (await deadLettersScript.run(client, [
    namesKey,
    String(limit),
    ...names.map(keysOf),
  ])) as Answer[];
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
