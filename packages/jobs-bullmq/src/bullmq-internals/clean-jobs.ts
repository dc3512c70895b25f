import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Removes jobs that have ended and are retained no longer, and cancel requests for jobs that have ended. BullMQ removes such jobs only
 * when another job of the queue ends. Keeps a job for its own retention (see \`moveByRetention\`), and uses the engine's if
 * the job's options cannot be read. Leaves jobs with a parent to BullMQ. Looks at up to 500 jobs of each state and name.
 *
 * KEYS: the hash of names, the key that tells whether a process has cleaned lately. ARGV: the first part of the engine's own keys, Unix
 * milliseconds, the milliseconds for which jobs that succeeded are retained, the same of dead letters, the milliseconds for which other
 * processes need not clean, "0" to clean in any case. Answers 1 if there may be more, 0 if not, -1 if a process has cleaned lately.
 */
const cleanScript = new Script(
  "nidusClean",
  2,
  `
local base, now, limit = ARGV[1], tonumber(ARGV[2]), 500
if ARGV[5] ~= '0' and not redis.call('SET', KEYS[2], '1', 'PX', ARGV[5], 'NX') then return -1 end
local isMore = 0
local function ageOf(opts, option)
  local isRead, read = pcall(cjson.decode, opts)
  if not isRead or type(read) ~= 'table' then return 0 end
  return type(read[option]) == 'table' and tonumber(read[option].age) or nil
end
local function cleanEnded(keys, set, option, retainedMs)
  local ended = redis.call('ZRANGEBYSCORE', keys .. set, '-inf', now - retainedMs, 'WITHSCORES', 'LIMIT', 0, limit)
  local removed = 0
  for i = 1, #ended, 2 do
    local id, job = ended[i], keys .. ended[i]
    local fields = redis.pcall('HMGET', job, 'opts', 'parentKey', 'deid', 'finishedOn')
    local age = ageOf(fields[1], option)
    local endedAt = tonumber(fields[4]) or tonumber(ended[i + 1])
    if age and not fields[2] and endedAt + age * 1000 <= now then
      if fields[3] and redis.call('GET', keys .. 'de:' .. fields[3]) == id then redis.call('DEL', keys .. 'de:' .. fields[3]) end
      redis.call('DEL', job, job .. ':logs', job .. ':dependencies', job .. ':processed', job .. ':failed', job .. ':unsuccessful')
      redis.call('ZREM', keys .. set, id)
      removed = removed + 1
    end
  end
  if removed == limit then isMore = 1 end
end
local function cleanRequests(keys, requests)
  local found = redis.call('HSCAN', requests, 0, 'COUNT', limit)[2]
  for i = 1, #found, 2 do
    local id = found[i]
    if redis.call('EXISTS', keys .. id) == 0 or redis.call('ZSCORE', keys .. 'completed', id) or redis.call('ZSCORE', keys .. 'failed', id) then
      redis.call('HDEL', requests, id)
    end
  end
end
local names = redis.call('HGETALL', KEYS[1])
for i = 1, #names, 2 do
  local keys = names[i + 1]
  pcall(cleanEnded, keys, 'completed', 'removeOnComplete', tonumber(ARGV[3]))
  pcall(cleanEnded, keys, 'failed', 'removeOnFail', tonumber(ARGV[4]))
  pcall(cleanRequests, keys, base .. ':cancel-requests:' .. string.sub(keys, #base + 2, -2))
end
return isMore`,
);

/**
 * Forgets cancelled jobs whose records have expired, some at a time. KEYS: the sorted set of cancellations. ARGV: the cursor. Answers the
 * next cursor, "0" at the end.
 */
const forgetScript = new Script(
  "nidusForget",
  1,
  `
local notes = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', 500)
for i = 1, #notes[2], 2 do
  if redis.call('EXISTS', KEYS[1] .. ':' .. notes[2][i]) == 0 then redis.call('ZREM', KEYS[1], notes[2][i]) end
end
return notes[1]`,
);

/** Keys and times for {@link cleanJobs}. */
interface CleaningOptions {
  /** The key of the hash of job names. */
  readonly namesKey: string;
  /** The first part of the engine's own keys. */
  readonly base: string;
  readonly retainSucceededMs: number;
  readonly retainDeadLettersMs: number;
  /** Milliseconds for which other processes with the same retention need not clean. 0 to clean in any case. */
  readonly enoughForMs: number;
}

/** Removes jobs that are retained no longer, and cancel requests that nothing can heed. */
export async function cleanJobs(
  client: RedisClient,
  { namesKey, base, retainSucceededMs, retainDeadLettersMs, enoughForMs }: CleaningOptions,
): Promise<"cleaned" | "more" | "cleaned by another process"> {
  const retained = [String(retainSucceededMs), String(retainDeadLettersMs)];
  const cleanedKey = `${base}:cleaned:${retained.join(":")}`;
  const values = [namesKey, cleanedKey, base, String(Date.now()), ...retained, String(enoughForMs)];
  const answer = await cleanScript.run(client, values);
  return answer === 1 ? "more" : answer === 0 ? "cleaned" : "cleaned by another process";
}

/** Forgets cancelled jobs that are retained no longer. Stops early if `isStopped` says so. */
export async function forgetCancellations(
  client: RedisClient,
  cancellations: string,
  isStopped: () => boolean,
): Promise<void> {
  let cursor = "0";
  do {
    cursor = String(await forgetScript.run(client, [cancellations, cursor]));
  } while (cursor !== "0" && !isStopped());
}
