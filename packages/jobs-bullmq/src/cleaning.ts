import type { Queues } from "./queues.ts";
import { Script } from "./script.ts";
import type { Retention } from "./stored-data.ts";

/**
 * Removes jobs that have ended and are retained no longer, and requests to cancel jobs that are gone or have ended. BullMQ removes
 * the former only when another job of the queue ends. A job's own retention counts, if
 * it is longer; of a job whose options cannot be read, the engine's does. Jobs with a parent are BullMQ's to remove. Looks at some of each name. Answers whether there may be more
 * (1) or not (0), or that another process has cleaned lately (-1).
 *
 * KEYS: the hash of names, the key that tells whether another process has cleaned lately. ARGV: the first part of the engine's own
 * keys, Unix milliseconds, the milliseconds for which jobs that succeeded are retained, the same of dead letters, for how many
 * milliseconds this cleaning is enough, "0" to clean in any case.
 */
const clean = new Script(
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
    local fields = redis.pcall('HMGET', job, 'opts', 'parentKey', 'deid')
    local age = ageOf(fields[1], option)
    if age and not fields[2] and tonumber(ended[i + 1]) + age * 1000 <= now then
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
 * Removes some notes of cancelled jobs. KEYS: the hash of ids and times. ARGV: where to go on, the Unix milliseconds before which a
 * note is old. Answers where to go on, "0" at the end.
 */
const forget = new Script(
  "nidusForget",
  1,
  `
local notes = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 500)
for i = 1, #notes[2], 2 do
  local at = tonumber(notes[2][i + 1])
  if not at or at < tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], notes[2][i]) end
end
return notes[1]`,
);

/** How often a process looks, in milliseconds. */
const cleanEveryMs = 5_000;

/** How often it looks at all notes of cancelled jobs, at most. */
const forgetEveryMs = 60_000;

/** Cleans the queues of an engine every few seconds, until it is stopped. */
export class Cleaning {
  readonly #queues: Queues;
  readonly #retention: Retention;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #isCleaning = false;
  #isStopped = false;
  #forgottenAtMs = Number.NEGATIVE_INFINITY;

  constructor(queues: Queues, retention: Retention, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#retention = retention;
    this.#onError = onError;
    this.#timer = setInterval(() => this.#clean(), cleanEveryMs);
    this.#timer.unref();
  }

  /** Never rejects. While the server is unreachable, one attempt waits for it. */
  async #clean(): Promise<void> {
    if (this.#isCleaning) return;
    this.#isCleaning = true;
    try {
      // What Redis has lost meanwhile is to be found again.
      await this.#queues.note();
      let answer = await this.#cleanSome(cleanEveryMs * 0.8);
      if (answer >= 0) await this.#forgetCancelled();
      while (answer === 1 && !this.#isStopped) answer = await this.#cleanSome(0);
    } catch (error) {
      if (!this.#isStopped) this.#onError(error);
    } finally {
      this.#isCleaning = false;
    }
  }

  async #cleanSome(enoughForMs: number): Promise<number> {
    const { base, namesKey } = this.#queues;
    const retainedMs = [this.#retention.succeededSeconds, this.#retention.deadLettersSeconds].map((seconds) =>
      String(seconds * 1000),
    );
    const cleanedKey = `${base}:cleaned:${retainedMs.join(":")}`;
    const values = [namesKey, cleanedKey, base, String(Date.now()), ...retainedMs, String(enoughForMs)];
    return (await clean.run(await this.#queues.client, values)) as number;
  }

  async #forgetCancelled(): Promise<void> {
    const retainedMs = this.#retention.succeededSeconds * 1000;
    const now = performance.now();
    if (now < this.#forgottenAtMs + Math.min(retainedMs, forgetEveryMs)) return;
    this.#forgottenAtMs = now;
    const client = await this.#queues.client;
    const names = await this.#queues.names();
    const forgetting = names.map(async (name) => {
      let cursor = "0";
      do {
        const values = [this.#queues.cancellationsOf(name), cursor, String(Date.now() - retainedMs)];
        cursor = String(await forget.run(client, values));
      } while (cursor !== "0" && !this.#isStopped);
    });
    await Promise.all(forgetting);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }
}
