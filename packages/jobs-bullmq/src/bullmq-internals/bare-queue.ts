import type { RedisClient } from "./redis-client.ts";

/** A queue of any BullMQ from 5.0 on, as this package reads it. */
interface BareQueue {
  readonly name: string;
  /** Set once `close` was called. */
  readonly closing?: Promise<void> | undefined;
  toKey(type: string): string;
  /** In BullMQ 5. */
  readonly client?: Promise<BareClient>;
  /** In BullMQ 6. Backends other than that of Redis have no client. */
  readonly backend?: { readonly client?: Promise<BareClient> };
}

/** A client as BullMQ 5.0 has it. Later versions add `runCommand`. */
type BareClient = Pick<RedisClient, "defineCommand"> & {
  readonly runCommand?: RedisClient["runCommand"];
} & { readonly [script in typeof scriptName]?: (...values: readonly string[]) => Promise<unknown> };

/** How many jobs a queue holds, and since when. */
export interface BareQueueCounts {
  readonly waiting: number;
  readonly oldestWaitingMs: number | undefined;
  readonly failed: number;
  readonly oldestFailedMs: number | undefined;
}

const scriptName = "nidusBareQueue";

/**
 * Counts the jobs of a queue. KEYS: the first part of the queue's keys. ARGV: Unix milliseconds. Answers the jobs that wait, since when
 * the oldest could have run, the failed jobs, and when the oldest failed.
 *
 * As in `countsScript`: a delayed job waits once its time has come, and of the jobs in line, the next one is the oldest. It could have
 * run after its delay or, if it has run before, after that run.
 */
const lua = `
local keys, now = KEYS[1], tonumber(ARGV[1])
local due = (now + 1) * 0x1000 - 1
local dueCount = redis.call('ZCOUNT', keys .. 'delayed', '-inf', due)
local oldest
if dueCount > 0 then
  oldest = tonumber(redis.call('ZRANGE', keys .. 'delayed', 0, 0, 'WITHSCORES')[2]) / 0x1000
end
for _, id in pairs({
  redis.call('LINDEX', keys .. 'wait', -1),
  redis.call('LINDEX', keys .. 'paused', -1),
  redis.call('ZRANGE', keys .. 'prioritized', 0, 0)[1],
}) do
  local job = id and redis.pcall('HMGET', keys .. id, 'timestamp', 'opts', 'processedOn') or {}
  local storedAt = tonumber(job[1] or '')
  if storedAt then
    local delay = tonumber(string.match(job[2] or '', '"delay":(%d+)') or 0)
    local since = math.max(storedAt + delay, tonumber(job[3] or '') or 0)
    if not oldest or since < oldest then oldest = since end
  end
end
local failed = redis.call('ZRANGE', keys .. 'failed', 0, 0, 'WITHSCORES')
return {
  dueCount + redis.call('LLEN', keys .. 'wait') + redis.call('LLEN', keys .. 'paused') + redis.call('ZCARD', keys .. 'prioritized'),
  tostring(oldest or ''),
  redis.call('ZCARD', keys .. 'failed'),
  tostring(failed[2] or ''),
}`;

type Answer = readonly [waiting: number, oldestMs: string, failed: number, oldestFailedMs: string];

/** The clients that know the script. */
const defined = new WeakSet<BareClient>();

/** Tells whether `close` was called for a queue. */
export function isQueueClosed(queue: object): boolean {
  return (queue as BareQueue).closing !== undefined;
}

/**
 * Counts the jobs of a queue of any BullMQ, over the queue's own connection, in one query. Waits for as long as Redis is away.
 *
 * @throws (rejects with) TypeError if the queue has no Redis client.
 */
export async function readBareQueue(queue: object): Promise<BareQueueCounts> {
  const bare = queue as BareQueue;
  const client = await (bare.client ?? bare.backend?.client);
  if (client === undefined) throw new TypeError(`the queue "${bare.name}" is not stored in Redis`);
  if (!defined.has(client)) {
    client.defineCommand(scriptName, { numberOfKeys: 1, lua });
    defined.add(client);
  }
  const values = [bare.toKey(""), String(Date.now())];
  const answer = await (client.runCommand?.(scriptName, values) ?? client[scriptName]?.(...values));
  const [waiting, oldestMs, failed, oldestFailedMs] = answer as Answer;
  return { waiting, oldestWaitingMs: momentOf(oldestMs), failed, oldestFailedMs: momentOf(oldestFailedMs) };
}

/** Redis cuts numbers in answers, and other programs write to it: a moment comes as text, and may be none. */
function momentOf(text: string): number | undefined {
  const ms = Math.floor(Number(text));
  return text !== "" && ms >= 0 && ms <= 8.64e15 ? ms : undefined;
}
