import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/**
 * Reads how jobs have ended. KEYS: the hash of names. ARGV: the number of queues; the first part of the keys of each queue, and the key of
 * the sorted set of its cancelled jobs; of each job, its id and the place of its queue, from 1, or 0 if that is not known. Answers for each
 * job: the place of its queue, its state, and its result or its error. A job counts by its `timestamp`, since BullMQ has other keys beside
 * the jobs.
 */
const endsScript = new Script(
  "nidusEnds",
  1,
  `
local count = tonumber(ARGV[1])
local function isIn(set, id)
  local score = redis.pcall('ZSCORE', set, id)
  return score and type(score) == 'string'
end
local function text(job, field)
  local value = redis.pcall('HGET', job, field)
  return type(value) == 'string' and value or ''
end
local function endIn(place, id)
  local keys, cancelled = ARGV[2 * place], ARGV[2 * place + 1]
  local job = keys .. id
  if redis.pcall('HEXISTS', job, 'timestamp') == 1 then
    if isIn(keys .. 'completed', id) then return { place, 'completed', text(job, 'returnvalue') } end
    if isIn(keys .. 'failed', id) then return { place, 'failed', text(job, 'failedReason') } end
    return { place, 'pending', '' }
  end
  if isIn(cancelled, id) then return { place, 'cancelled', '' } end
end
local function endOf(id, place)
  if place > 0 then return endIn(place, id) or { 0, 'unknown', '' } end
  for each = 1, count do
    local found = endIn(each, id)
    if found then return found end
  end
  return { 0, 'unknown', '' }
end
local ends = {}
for i = 2 * count + 2, #ARGV, 2 do
  ends[#ends + 1] = endOf(ARGV[i], tonumber(ARGV[i + 1]))
end
return ends`,
);

/** How a job has ended, as Redis has it. `text` is the result, as BullMQ's `returnvalue`, or the error. */
export interface StoredEnd {
  readonly jobName: string | undefined;
  readonly state: "completed" | "failed" | "pending" | "cancelled" | "unknown";
  readonly text: string;
}

/** The keys of a queue: the first part of them, and the sorted set of its cancelled jobs. */
interface EndKeys {
  readonly jobName: string;
  readonly keys: string;
  readonly cancellations: string;
}

/** Reads how jobs have ended. A job without a name may be in any of the queues. */
export async function readEndsOfJobs(
  client: RedisClient,
  namesKey: string,
  queues: readonly EndKeys[],
  jobs: readonly { readonly id: string; readonly jobName: string | undefined }[],
): Promise<readonly StoredEnd[]> {
  const places = new Map(queues.map(({ jobName }, index) => [jobName, index + 1]));
  const values = [
    namesKey,
    String(queues.length),
    ...queues.flatMap(({ keys, cancellations }) => [keys, cancellations]),
    ...jobs.flatMap(({ id, jobName }) => [id, String((jobName && places.get(jobName)) || 0)]),
  ];
  const answers = (await endsScript.run(client, values)) as [number, StoredEnd["state"], string][];
  return answers.map(([place, state, text]) => ({ jobName: queues[place - 1]?.jobName, state, text }));
}

/** Begins the `returnvalue` of the result `null`, for which BullMQ writes `null` if there is no result, and of results that begin the same. */
const wrapping = '{"nidusResult":';

/** Returns the value that BullMQ stores as `returnvalue` for the JSON text of a result. */
export function returnValueOf(resultText: string | undefined): unknown {
  if (resultText === undefined) return null;
  const result = JSON.parse(resultText) as unknown;
  return result === null || resultText.startsWith(wrapping) ? { nidusResult: result } : result;
}

/** Returns the JSON text of a result from BullMQ's `returnvalue`. Undefined if there is no result. */
export function resultTextFrom(returnValue: string): string | undefined {
  if (returnValue === "" || returnValue === "null") return undefined;
  return returnValue.startsWith(wrapping) ? returnValue.slice(wrapping.length, -1) : returnValue;
}
