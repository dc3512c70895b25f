import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** Data of more bytes than this are read in part, unless the payload is asked for. Everything else in them is smaller. */
const wholeBytes = 4_096;

/** The end of the data, in which the engine has written when the job can start. */
const tailBytes = 100;

/**
 * Reads jobs of one queue. KEYS: the first part of the queue's keys. ARGV: Unix milliseconds, 1 to read whole data, ids. Answers for each
 * job that is there: its id, its state, its data or their beginning, the end of data that were cut, and fields. A job that BullMQ has not
 * yet moved from the delayed ones waits if its time has come (see `readCounts`).
 */
const readScript = new Script(
  "nidusRead",
  1,
  `
local keys, due = KEYS[1], (tonumber(ARGV[1]) + 1) * 0x1000 - 1
local function stateOf(id)
  if redis.call('ZSCORE', keys .. 'completed', id) then return 'succeeded' end
  if redis.call('ZSCORE', keys .. 'failed', id) then return 'dead-lettered' end
  local delayed = redis.call('ZSCORE', keys .. 'delayed', id)
  if delayed then return tonumber(delayed) > due and 'scheduled' or 'waiting' end
  if redis.call('EXISTS', keys .. id .. ':lock') == 1 then return 'running' end
  for _, active in ipairs(redis.call('LRANGE', keys .. 'active', 0, -1)) do
    if active == id then return 'running' end
  end
  return 'waiting'
end
local function read(id)
  local job = keys .. id
  local fields = redis.call('HMGET', job, 'timestamp', 'opts', 'nidusRunAt', 'processedOn', 'finishedOn', 'atm', 'stc')
  if not fields[1] then return false end
  local data = redis.call('HGET', job, 'data') or ''
  local tail = false
  if ARGV[2] ~= '1' and #data > ${wholeBytes} then
    tail = string.sub(data, -${tailBytes})
    data = string.sub(data, 1, ${wholeBytes})
  end
  return { id, stateOf(id), data, tail, fields }
end
local found = {}
for i = 3, #ARGV do
  local isRead, job = pcall(read, ARGV[i])
  if isRead and job then found[#found + 1] = job end
end
return found`,
);

/** The fields of a job, as Redis has them. Other programs may have written any text. */
export interface StoredFields {
  readonly id: string;
  readonly state: "scheduled" | "waiting" | "running" | "succeeded" | "dead-lettered";
  /** The data, or their beginning if there is a `tail`. */
  readonly data: string;
  /** The end of data of which the middle was not read. */
  readonly tail: string | undefined;
  readonly timestamp: string;
  readonly opts: string | null;
  readonly runAt: string | null;
  readonly processedOn: string | null;
  readonly finishedOn: string | null;
  readonly made: string | null;
  readonly stalled: string | null;
}

type Answer = readonly [
  id: string,
  state: StoredFields["state"],
  data: string,
  tail: string | null,
  fields: readonly [
    timestamp: string,
    opts: string | null,
    runAt: string | null,
    processedOn: string | null,
    finishedOn: string | null,
    made: string | null,
    stalled: string | null,
  ],
];

/** Reads those of the jobs that are there, in the order of the ids. `keys` is the first part of the queue's keys. */
export async function readStoredJobs(
  client: RedisClient,
  keys: string,
  ids: readonly string[],
  withPayload: boolean,
): Promise<readonly StoredFields[]> {
  const values = [keys, String(Date.now()), withPayload ? "1" : "0", ...ids];
  const answers = (await readScript.run(client, values)) as Answer[];
  return answers.map(([id, state, data, tail, fields]) => {
    const [timestamp, opts, runAt, processedOn, finishedOn, made, stalled] = fields;
    const counts = { made, stalled };
    const times = { timestamp, runAt, processedOn, finishedOn };
    return { id, state, data, tail: tail ?? undefined, opts, ...times, ...counts };
  });
}
