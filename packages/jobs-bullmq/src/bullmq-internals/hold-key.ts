import { Script } from "./script.ts";

/**
 * Holds the idempotency key of a cancelled job: BullMQ stores no job whose key is there. BullMQ and this package do not take the key for
 * a job, since it has no `timestamp`. Redis lets it expire.
 */
export const holdKey = `
local function holdKey(job, retainedMs)
  if redis.call('EXISTS', job) == 1 then return end
  redis.call('HSET', job, 'data', '{}')
  redis.call('PEXPIRE', job, retainedMs)
end`;

/** Holds the key of a job that its outcome has removed. KEYS: the job, cancellations. ARGV: id, cancelledAt, milliseconds. */
export const holdKeyScript: Script = new Script(
  "nidusHoldKey",
  2,
  `${holdKey}
if redis.call('HGET', KEYS[2] .. ':' .. ARGV[1], 'nidusCancelledAt') == ARGV[2] then holdKey(KEYS[1], ARGV[3]) end`,
);
