import type { RedisClient } from "./queues.ts";
import { Script } from "./script.ts";

/** One delivery of a job, as Redis knows it. */
export interface Lease {
  readonly id: string;
  /** The value of the job's lock. */
  readonly token: string;
  /** BullMQ's counts of the job when it was fetched: starts, recorded attempts, lost workers. */
  readonly started: number;
  readonly made: number;
  readonly stalled: number;
}

/**
 * Tells whether a lease holds. Takes a lease that ran out again, unless another worker has started the job or its attempt was
 * recorded meanwhile. A job that has ended never gets a lock.
 */
const holdLease = `
local function hold(keys, id, token, started, made, leaseMs)
  local job = keys .. id
  local lock = redis.call('GET', job .. ':lock')
  if lock == token then return true end
  local counts = redis.call('HMGET', job, 'ats', 'atm')
  if lock or counts[1] ~= started or (counts[2] or '0') ~= made then return false end
  for _, list in ipairs({ 'active', 'wait', 'paused' }) do redis.call('LREM', keys .. list, 1, id) end
  for _, set in ipairs({ 'prioritized', 'delayed' }) do redis.call('ZREM', keys .. set, id) end
  redis.call('LPUSH', keys .. 'active', id)
  redis.call('SET', job .. ':lock', token, 'PX', leaseMs)
  return true
end`;

/**
 * KEYS: the first part of the queue's keys. ARGV: a lease's milliseconds; id, token, started and made of each lease. Answers the ids
 * whose lease is lost.
 */
const renew = new Script(
  "nidusRenew",
  1,
  `${holdLease}
local keys, leaseMs = KEYS[1], ARGV[1]
local lost = {}
for i = 2, #ARGV, 4 do
  if hold(keys, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], leaseMs) then
    redis.call('PEXPIRE', keys .. ARGV[i] .. ':lock', leaseMs)
    redis.call('SREM', keys .. 'stalled', ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost`,
);

/** Renews leases of one queue. Resolves to the ids of the jobs whose lease is lost. */
export async function renewLeases(
  client: RedisClient,
  keys: string,
  leaseMs: number,
  leases: readonly Lease[],
): Promise<readonly string[]> {
  const described = leases.flatMap(({ id, token, started, made }) => [
    id,
    token,
    String(started),
    String(made),
  ]);
  return (await renew.run(client, [keys, String(leaseMs), ...described])) as string[];
}

/** KEYS: the hash of cancel requests. ARGV: ids. Answers those with a request. */
const requested = new Script(
  "nidusRequested",
  1,
  `
local found = {}
for _, id in ipairs(ARGV) do
  if redis.pcall('HEXISTS', KEYS[1], id) == 1 then found[#found + 1] = id end
end
return found`,
);

/** Resolves to the ids of the jobs whose cancellation was requested. */
export async function requestedOf(
  client: RedisClient,
  requests: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  return (await requested.run(client, [requests, ...ids])) as string[];
}

/**
 * KEYS: the first part of the queue's keys, the hash of cancellations. ARGV: id, token, started, made, stalled, a lease's milliseconds, the type of the
 * outcome, its mark, 1 if it removes the job.
 */
const inquire = new Script(
  "nidusInquire",
  2,
  `${holdLease}
local keys, id, started, made, stalled, type = KEYS[1], ARGV[1], ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local counts = redis.call('HMGET', keys .. id, 'ats', 'atm', 'stc', 'nidusRunAt')
local function isMarked(text) return text and ARGV[8] ~= '' and string.match(text, '%.(%d+)$') == ARGV[8] end
if not counts[1] then
  return (ARGV[9] == '1' or isMarked(redis.call('HGET', KEYS[2], id))) and 'recorded' or 'lost'
end
if hold(keys, id, ARGV[2], started, made, ARGV[6]) then return 'held' end
local more = tonumber(counts[2] or 0) - tonumber(made)
local isOurs = more == 1 and counts[1] == started
if type == 'succeeded' then isOurs = isOurs and redis.call('ZSCORE', keys .. 'completed', id)
elseif type == 'dead-lettered' then isOurs = isOurs and redis.call('ZSCORE', keys .. 'failed', id)
elseif type == 'retried' then
  -- Another attempt may have left its own mark since. A worker that died would have added to stc.
  isOurs = isMarked(counts[4]) or more > 1 and (counts[3] or '0') == stalled
else isOurs = false end
return isOurs and 'recorded' or 'lost'`,
);

/** What became of a delivery whose settlement was refused: the lease holds (again), the settlement is recorded, or the job is not ours any more. */
export type Inquiry = "held" | "recorded" | "lost";

export async function inquireLease(
  client: RedisClient,
  keys: string,
  cancellations: string,
  { id, token, started, made, stalled }: Lease,
  leaseMs: number,
  { type, mark, isRemoved }: { readonly type: string; readonly mark: string; readonly isRemoved: boolean },
): Promise<Inquiry> {
  const counts = [started, made, stalled, leaseMs].map(String);
  const values = [keys, cancellations, id, token, ...counts, type, mark, isRemoved ? "1" : "0"];
  return (await inquire.run(client, values)) as Inquiry;
}

/**
 * Ends a job that BullMQ's own script cannot end, since fields or keys of it are not as BullMQ writes them. KEYS: the first part of the queue's keys.
 * ARGV: id, token, started, made, a lease's milliseconds, completed or failed, the error, Unix milliseconds. Answers whether it is recorded.
 */
const bury = new Script(
  "nidusBury",
  1,
  `${holdLease}
local keys, id, state = KEYS[1], ARGV[1], ARGV[6]
local job = keys .. id
if not hold(keys, id, ARGV[2], ARGV[3], ARGV[4], ARGV[5]) then return 0 end
redis.call('DEL', job .. ':lock')
redis.pcall('SREM', keys .. 'stalled', id)
redis.pcall('LREM', keys .. 'active', 1, id)
redis.pcall('HSET', job, 'finishedOn', ARGV[8], 'atm', ARGV[4] + 1, state == 'failed' and 'failedReason' or 'returnvalue', ARGV[7])
return type(redis.pcall('ZADD', keys .. state, ARGV[8], id)) == 'number' and 1 or 0`,
);

export async function buryJob(
  client: RedisClient,
  keys: string,
  { id, token, started, made }: Lease,
  leaseMs: number,
  error: string | undefined,
  nowMs: number,
): Promise<boolean> {
  const state = error === undefined ? "completed" : "failed";
  const values = [id, token, started, made, leaseMs, state, error ?? "null", nowMs].map(String);
  return (await bury.run(client, [keys, ...values])) === 1;
}

/** KEYS: the first part of the queue's keys. ARGV: id, token, how many workers were lost. Answers whether that is to be told here. */
const tell = new Script(
  "nidusTellStalled",
  1,
  `
local job = KEYS[1] .. ARGV[1]
if redis.call('GET', job .. ':lock') ~= ARGV[2] then return 0 end
if (tonumber(redis.call('HGET', job, 'nidusTold') or 0) or 0) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', job, 'nidusTold', ARGV[3])
return 1`,
);

/** Resolves to whether the worker of the attempt before was lost and no delivery has said so yet. */
export async function tellStalled(
  client: RedisClient,
  keys: string,
  {
    id,
    token,
    stalledCounter,
  }: { readonly id?: string; readonly token?: string; readonly stalledCounter: number },
): Promise<boolean> {
  return (await tell.run(client, [keys, id ?? "", token ?? "", String(stalledCounter)])) === 1;
}
