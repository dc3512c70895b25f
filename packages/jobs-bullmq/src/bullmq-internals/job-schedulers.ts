import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Reads the engine's own job schedulers. KEYS: the hash of names. ARGV: of each queue the first part of its keys, and how the ids of its
 * schedulers begin. Answers for each scheduler: the place of its queue, its id, when its next job is due, the data of its jobs, when the
 * next job was stored, was started and has ended, and to when it was rescheduled.
 */
const readScript = new Script(
  "nidusSchedulers",
  1,
  `
local found = {}
for place = 1, #ARGV, 2 do
  local keys, start = ARGV[place], ARGV[place + 1]
  local ids = redis.pcall('ZRANGE', keys .. 'repeat', 0, -1, 'WITHSCORES')
  if ids.err then ids = {} end
  for i = 1, #ids, 2 do
    if string.sub(ids[i], 1, #start) == start then
      local data = redis.pcall('HGET', keys .. 'repeat:' .. ids[i], 'data')
      local job = redis.pcall('HMGET', keys .. 'repeat:' .. ids[i] .. ':' .. ids[i + 1], 'timestamp', 'processedOn', 'finishedOn', 'nidusRunAt')
      if type(data) == 'string' then
        if job.err then job = {} end
        found[#found + 1] = { (place - 1) / 2, ids[i], ids[i + 1], data, job[1] or false, job[2] or false, job[3] or false, job[4] or false }
      end
    end
  end
end
return found`,
);

/** One of the engine's own job schedulers. */
export interface OwnScheduler {
  readonly jobName: string;
  readonly id: string;
  /** The key of the schedule, or undefined for the one without a key. */
  readonly key: string | undefined;
  /** When its next job is due, in Unix milliseconds. */
  readonly nextMs: number;
  /** When its next job can start: another moment if that was rescheduled. */
  readonly startMs: number;
  /** The JSON text of the data of its jobs. */
  readonly dataText: string;
  /** What has become of its next job. Once that has started, BullMQ has stored another one, unless there is none or it failed to. */
  readonly nextState: "gone" | "waiting" | "started" | "ended";
}

/** Reads the engine's own job schedulers of these names, in one query. */
export async function readSchedulers(
  client: RedisClient,
  namesKey: string,
  jobNames: readonly string[],
  keysOf: (jobName: string) => string,
): Promise<readonly OwnScheduler[]> {
  const places = jobNames.flatMap((name) => [keysOf(name), schedulerId(name, undefined)]);
  const found = (await readScript.run(client, [namesKey, ...places])) as [
    queue: number,
    id: string,
    nextMs: string,
    data: string,
    storedAt: string | null,
    startedAt: string | null,
    endedAt: string | null,
    movedTo: string | null,
  ][];
  return found.map(([queue, id, nextMs, dataText, storedAt, startedAt, endedAt, movedTo]) => {
    const jobName = jobNames[queue] as string;
    return {
      jobName,
      id,
      key: keyOf(id.slice(schedulerId(jobName, undefined).length)),
      nextMs: Number(nextMs),
      startMs: Number((startedAt === null && movedTo) || nextMs),
      dataText,
      nextState:
        storedAt === null ? "gone" : endedAt !== null ? "ended" : startedAt !== null ? "started" : "waiting",
    };
  });
}

/**
 * Returns the id of a job scheduler, which is a part of the ids of its jobs. It names the job, since the ids of jobs must differ over
 * all queues. BullMQ reads its older format from ids with colons, so this one has none.
 */
export function schedulerId(jobName: string, key: string | undefined): string {
  const name = encodeURIComponent(jobName).replaceAll(".", "%2E");
  return `nidus.${name}.${encodeURIComponent(key ?? "")}`;
}

/** Returns how the ids of the jobs of the engine's own schedulers begin. */
export function scheduledJobIds(jobName: string): string {
  return `repeat:${schedulerId(jobName, undefined)}`;
}

function keyOf(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded) || undefined;
  } catch {
    return undefined;
  }
}
