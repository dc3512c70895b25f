import type { DeadLetter } from "@nidus/jobs-durable";
import { envelopeFrom } from "@nidus/jobs-durable/backend";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { countOf, timeOf } from "./stored-values.ts";

/**
 * Lists the newest failed jobs of all queues, the newest first. KEYS: the hash of names. ARGV: how many at most, the first part of each
 * queue's keys. Answers for each job: the place of its queue in ARGV, its id, when it failed, and fields. Skips queues and jobs whose keys
 * another program has given another type.
 *
 * Reads the fields of the listed jobs alone. `heads` has the newest job of each queue that is not listed yet, in the order of their failures.
 */
const deadLettersScript = new Script(
  "nidusDeadLetters",
  1,
  `
local letters, heads, chunk, limit = {}, {}, 10, tonumber(ARGV[1])
local function add(head)
  if not head.loaded[head.index] then
    local first = head.rank
    head.loaded = redis.pcall('ZREVRANGE', ARGV[head.queue] .. 'failed', first, first + chunk - 1, 'WITHSCORES')
    head.rank, head.index = first + chunk, 1
    if not head.loaded[1] then return end
  end
  head.score = tonumber(head.loaded[head.index + 1])
  local low, high = 1, #heads + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if heads[middle].score < head.score then low = middle + 1 else high = middle end
  end
  table.insert(heads, low, head)
end
for queue = 2, #ARGV do add({ queue = queue, loaded = {}, index = 1, rank = 0 }) end
while #letters < limit and #heads > 0 do
  local head = table.remove(heads)
  local id, failedAt = head.loaded[head.index], head.loaded[head.index + 1]
  local fields = redis.pcall('HMGET', ARGV[head.queue] .. id, 'data', 'opts', 'atm', 'stc', 'failedReason')
  if not fields.err then letters[#letters + 1] = { head.queue - 2, id, failedAt, fields } end
  head.index = head.index + 2
  add(head)
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
  return answers.map(([queue, id, failedAtMs, [data, opts, made, stalled, reason]]) => {
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
