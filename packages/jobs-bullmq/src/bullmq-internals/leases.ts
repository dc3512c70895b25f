import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** A delivery of a job, as Redis stores it. */
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
 * Tells whether a lease holds. Takes a lease again that ran out, unless another worker has started the job or has recorded its
 * attempt. Never locks a job that has ended.
 */
export const holdLease = `
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
 * Renews leases. KEYS: the first part of the queue's keys. ARGV: a lease's milliseconds; id, token, started and made of each lease.
 * Answers the ids whose lease is lost.
 */
const renewScript = new Script(
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
  return (await renewScript.run(client, [keys, String(leaseMs), ...described])) as string[];
}

/** Finds cancel requests. KEYS: the hash of cancel requests. ARGV: ids. Answers the ids that have a request. */
const cancelRequestsScript = new Script(
  "nidusRequested",
  1,
  `
local found = {}
for _, id in ipairs(ARGV) do
  if redis.pcall('HEXISTS', KEYS[1], id) == 1 then found[#found + 1] = id end
end
return found`,
);

/** Resolves to the ids of the jobs that have a cancel request. */
export async function cancelRequestsAmong(
  client: RedisClient,
  requests: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  return (await cancelRequestsScript.run(client, [requests, ...ids])) as string[];
}

/**
 * Claims the report of a stalled attempt, which one delivery makes. KEYS: the first part of the queue's keys. ARGV: id, token, how
 * often the job stalled. Answers 1 if this delivery makes it.
 */
const claimStalledScript = new Script(
  "nidusTellStalled",
  1,
  `
local job = KEYS[1] .. ARGV[1]
if redis.call('GET', job .. ':lock') ~= ARGV[2] then return 0 end
if (tonumber(redis.call('HGET', job, 'nidusTold') or 0) or 0) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', job, 'nidusTold', ARGV[3])
return 1`,
);

/** Resolves to whether this delivery reports that the attempt before stalled. No other delivery reports it then. */
export async function claimStalledReport(
  client: RedisClient,
  keys: string,
  {
    id,
    token,
    stalledCounter,
  }: { readonly id?: string; readonly token?: string; readonly stalledCounter: number },
): Promise<boolean> {
  return (await claimStalledScript.run(client, [keys, id ?? "", token ?? "", String(stalledCounter)])) === 1;
}
