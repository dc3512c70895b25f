import { keepCancelled } from "./cancelled-jobs.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Keeps a copy of the next job of a scheduler as a cancelled job, since BullMQ removes the job when it stores the one after it. KEYS: the
 * first part of the queue's keys, the sorted set of cancellations. ARGV: the id, Unix milliseconds, and the milliseconds for which a
 * cancelled job is kept if its own options do not say. Answers 1 if the job waits.
 */
const keepScript = new Script(
  "nidusKeepSkipped",
  2,
  `${keepCancelled}
local keys, id = KEYS[1], ARGV[1]
local fields = redis.call('HMGET', keys .. id, 'timestamp', 'processedOn')
if not fields[1] or fields[2] then return 0 end
keepCancelled(keys, id, KEYS[2], ARGV[2], ARGV[3])
return 1`,
);

/**
 * Ends what `keepScript` has begun: forgets the cancel request of a job that BullMQ has removed, or the copy of one that has started
 * meanwhile, which its worker cancels. KEYS: as above, and the hash of requests. ARGV: the id.
 */
const removedScript = new Script(
  "nidusSkipped",
  3,
  `
if redis.call('HEXISTS', KEYS[1] .. ARGV[1], 'timestamp') == 0 then
  redis.call('HDEL', KEYS[3], ARGV[1])
else
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('DEL', KEYS[2] .. ':' .. ARGV[1])
end`,
);

/** The keys of a scheduler's queue and of its notes, and how long a cancelled job is kept. */
interface SkippingKeys {
  /** The first part of the keys of the job's queue. */
  readonly queue: string;
  readonly requests: string;
  readonly cancellations: string;
  readonly retainedMs: number;
}

/** Skips the next job of a scheduler, which has a cancel request. `storeNext` stores the one after it, which removes the job. */
export async function skipScheduled(
  client: RedisClient,
  { queue, requests, cancellations, retainedMs }: SkippingKeys,
  jobId: string,
  storeNext: () => Promise<void>,
): Promise<void> {
  const values = [queue, cancellations, jobId, String(Date.now()), String(retainedMs)];
  if ((await keepScript.run(client, values)) !== 1) return;
  try {
    await storeNext();
  } finally {
    await removedScript.run(client, [queue, cancellations, requests, jobId]);
  }
}
