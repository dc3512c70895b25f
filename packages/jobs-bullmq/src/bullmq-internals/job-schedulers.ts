import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** The first part of the ids of the engine's own job schedulers. */
const idStart = "nidus.";

/**
 * Reads the engine's own job schedulers of one queue. KEYS: the first part of the queue's keys. ARGV: how their ids begin. Answers for
 * each: its id, when its next job is due, the data of its jobs, and of the next job when it was stored and when it was started.
 */
const readScript = new Script(
  "nidusSchedulers",
  1,
  `
local keys, start, found = KEYS[1], ARGV[1], {}
local ids = redis.pcall('ZRANGE', keys .. 'repeat', 0, -1, 'WITHSCORES')
if ids.err then return found end
for i = 1, #ids, 2 do
  if string.sub(ids[i], 1, #start) == start then
    local data = redis.pcall('HGET', keys .. 'repeat:' .. ids[i], 'data')
    local job = redis.pcall('HMGET', keys .. 'repeat:' .. ids[i] .. ':' .. ids[i + 1], 'timestamp', 'processedOn')
    if type(data) == 'string' then
      found[#found + 1] = { ids[i], ids[i + 1], data, job.err and false or job[1], job.err and false or job[2] }
    end
  end
end
return found`,
);

/** One of the engine's own job schedulers. */
export interface OwnScheduler {
  readonly id: string;
  /** The key of the schedule, or undefined for the one without a key. */
  readonly key: string | undefined;
  /** When its next job is due, in Unix milliseconds. */
  readonly nextMs: number;
  /** The JSON text of the data of its jobs. */
  readonly dataText: string;
  /** Whether its next job is stored, whatever has become of it. */
  readonly isNextStored: boolean;
  /** Whether its next job is stored, and has not started. */
  readonly isNextWaiting: boolean;
}

/** Reads the engine's own job schedulers of a queue. */
export async function readSchedulers(client: RedisClient, keys: string): Promise<readonly OwnScheduler[]> {
  const found = (await readScript.run(client, [keys, idStart])) as [
    id: string,
    nextMs: string,
    data: string,
    storedAt: string | null,
    startedAt: string | null,
  ][];
  return found.map(([id, nextMs, dataText, storedAt, startedAt]) => ({
    id,
    key: keyOf(id),
    nextMs: Number(nextMs),
    dataText,
    isNextStored: storedAt !== null,
    isNextWaiting: storedAt !== null && startedAt === null,
  }));
}

/** Returns the id of a job scheduler. BullMQ reads its older format from ids with colons, so this one has none. */
export function schedulerId(key: string | undefined): string {
  return `${idStart}${encodeURIComponent(key ?? "")}`;
}

function keyOf(id: string): string | undefined {
  try {
    return decodeURIComponent(id.slice(idStart.length)) || undefined;
  } catch {
    return undefined;
  }
}
