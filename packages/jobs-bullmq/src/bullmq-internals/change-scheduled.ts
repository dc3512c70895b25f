import type { JobSchedulerTemplateOptions } from "bullmq";
import { scheduledJobId } from "./job-keys.ts";
import type { OwnScheduler } from "./job-schedulers.ts";
import type { RedisClient } from "./redis-client.ts";
import { delayJob } from "./reschedule-job.ts";
import { Script } from "./script.ts";

/**
 * Gives the jobs of a scheduler other data and options, its next job included. That job keeps its moment, its start and, with the same
 * priority, its place in line: storing the scheduler again would move a late one. KEYS: the first part of the queue's keys. ARGV: the
 * scheduler's id, the id of its next job, when that is due, the data and the options, as JSON. Answers 1 if that job is the next one, and waits.
 */
const changeScript = new Script(
  "nidusChangeScheduled",
  1,
  `${delayJob}
local keys, scheduler, id, due, data = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local job = keys .. id
local fields = redis.call('HMGET', job, 'timestamp', 'processedOn', 'opts', 'priority', 'nidusRunAt')
if tonumber(redis.call('ZSCORE', keys .. 'repeat', scheduler) or '') ~= tonumber(due) or not fields[1] or fields[2] then return 0 end
local opts = cjson.decode(fields[3])
opts.priority = nil
for name, value in pairs(cjson.decode(ARGV[5])) do opts[name] = value end
local priority = opts.priority or 0
redis.call('HSET', keys .. 'repeat:' .. scheduler, 'data', data, 'opts', ARGV[5])
redis.call('HSET', job, 'data', data, 'opts', cjson.encode(opts), 'priority', priority)
if tonumber(fields[4] or '0') ~= priority then delayJob(keys, id, tonumber(fields[5] or due)) end
return 1`,
);

/** Gives the jobs of a scheduler other data and options. Resolves to false, and changes nothing, if its next job is another one or has started. */
export async function changeScheduled(
  client: RedisClient,
  keys: string,
  { id, nextMs }: OwnScheduler,
  data: object,
  options: JobSchedulerTemplateOptions,
): Promise<boolean> {
  const job = [scheduledJobId(id, nextMs), String(nextMs), JSON.stringify(data), JSON.stringify(options)];
  return (await changeScript.run(client, [keys, id, ...job])) === 1;
}
