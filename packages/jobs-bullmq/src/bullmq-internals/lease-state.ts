import { holdLease, type Lease } from "./leases.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { freeUniqueKey } from "./unique-keys.ts";

/**
 * Finds out what became of a delivery. KEYS: the first part of the queue's keys, the sorted set of cancellations. ARGV: id, token, started,
 * made, stalled, a lease's milliseconds, the type of the outcome, its mark, 1 if the outcome removes the job.
 */
const leaseStateScript = new Script(
  "nidusInquire",
  2,
  `${holdLease}
local keys, id, started, made, stalled, type = KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local counts = redis.call('HMGET', keys .. id, 'ats', 'atm', 'stc', 'nidusRunAt')
local function isMarked(text) return text and ARGV[8] ~= '' and string.match(text, '%.(%d+)$') == ARGV[8] end
if not counts[1] then
  return (ARGV[9] == '1' or isMarked(redis.call('HGET', KEYS[2] .. ':' .. id, 'nidusCancelledAt'))) and 'recorded' or 'lost'
end
if hold(keys, id, ARGV[2], started, made, ARGV[6]) then return 'held' end
local more = tonumber(counts[2] or 0) - tonumber(made)
local isOurs = more == 1 and counts[1] == started
if type == 'succeeded' then isOurs = isOurs and redis.call('ZSCORE', keys .. 'completed', id)
elseif type == 'dead-lettered' then isOurs = isOurs and redis.call('ZSCORE', keys .. 'failed', id)
elseif type == 'retried' then
  -- A later attempt may have left its own mark. A worker that died would have added to stc.
  isOurs = isMarked(counts[4]) or more > 1 and (counts[3] or '0') == stalled
elseif type == 'snoozed' then
  -- It was started again, and not because a worker had died.
  isOurs = isMarked(counts[4]) or tonumber(counts[1]) > tonumber(started) and (counts[3] or '0') == stalled
else isOurs = false end
return isOurs and 'recorded' or 'lost'`,
);

/** The lease of a delivery whose settlement was refused: it holds (again), its outcome is recorded, or another worker has the job. */
export type LeaseState = "held" | "recorded" | "lost";

/** Reads the state of a lease. Takes the lease again if it ran out and no other worker has started the job. */
export async function leaseStateOf(
  client: RedisClient,
  keys: string,
  cancellations: string,
  { id, token, started, made, stalled }: Lease,
  leaseMs: number,
  { type, mark, isRemoved }: { readonly type: string; readonly mark: string; readonly isRemoved: boolean },
): Promise<LeaseState> {
  const counts = [started, made, stalled, leaseMs].map(String);
  const values = [keys, cancellations, id, token, ...counts, type, mark, isRemoved ? "1" : "0"];
  return (await leaseStateScript.run(client, values)) as LeaseState;
}

/**
 * Ends a job that BullMQ's own script cannot end, since another program has changed its fields or keys. KEYS: the first part of the
 * queue's keys. ARGV: id, token, started, made, a lease's milliseconds, "completed" or "failed", the error, Unix milliseconds.
 * Answers 1 if the end is recorded.
 */
const forceEndScript = new Script(
  "nidusBury",
  1,
  `${holdLease}
${freeUniqueKey}
local keys, id, state = KEYS[1], ARGV[1], ARGV[6]
local job = keys .. id
if not hold(keys, id, ARGV[2], ARGV[3], ARGV[4], ARGV[5]) then return 0 end
redis.call('DEL', job .. ':lock')
freeUniqueKey(keys, id)
redis.pcall('SREM', keys .. 'stalled', id)
redis.pcall('LREM', keys .. 'active', 1, id)
redis.pcall('HSET', job, 'finishedOn', ARGV[8], 'atm', ARGV[4] + 1, state == 'failed' and 'failedReason' or 'returnvalue', ARGV[7])
return type(redis.pcall('ZADD', keys .. state, ARGV[8], id)) == 'number' and 1 or 0`,
);

/** Ends a job that BullMQ's own script cannot end. Fails it if there is an `error`. Resolves to whether the end is recorded. */
export async function forceEndJob(
  client: RedisClient,
  keys: string,
  { id, token, started, made }: Lease,
  leaseMs: number,
  error: string | undefined,
  nowMs: number,
): Promise<boolean> {
  const state = error === undefined ? "completed" : "failed";
  const values = [id, token, started, made, leaseMs, state, error ?? "null", nowMs].map(String);
  return (await forceEndScript.run(client, [keys, ...values])) === 1;
}
