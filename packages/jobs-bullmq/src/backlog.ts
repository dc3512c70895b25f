import type { JobBacklog } from "@nidus/jobs-observe";
import type { RedisClient } from "./queues.ts";

const command = "nidusBacklog";

/**
 * Of every job name: how many jobs wait, and since when the oldest of them could have run. The key is the hash of job names, which
 * has the first part of each queue's keys. BullMQ takes jobs from the right of `wait`. A job could run from what its data say last,
 * as they are written here (see `StoredData`), else from its schedule's time, else from when it was enqueued.
 */
const lua = `
local names = redis.call('HGETALL', KEYS[1])
local backlog = {}
for i = 1, #names, 2 do
  local keys = names[i + 1]
  local waiting = redis.call('LLEN', keys .. 'wait') + redis.call('ZCARD', keys .. 'prioritized')
  local oldest = redis.call('LINDEX', keys .. 'wait', -1)
  local since = ''
  if oldest then
    local job = redis.call('HMGET', keys .. oldest, 'timestamp', 'opts', 'data')
    local data = job[3] or ''
    since = string.match(data, '"runAtMs":(%d+)}$') or string.match(data, '"runAtMs":(%d+),"nonce":"[%x-]+"}$')
      or string.match(job[2] or '', '"prevMillis":(%d+)') or job[1] or ''
  end
  backlog[#backlog + 1] = names[i]
  backlog[#backlog + 1] = waiting
  backlog[#backlog + 1] = since
end
return backlog`;

/** What waits under every job name, in one query, as it is at one moment. */
export async function readBacklog(client: RedisClient, namesKey: string): Promise<JobBacklog[]> {
  client.defineCommand(command, { numberOfKeys: 1, lua });
  const answer = (await client.runCommand(command, [namesKey])) as (string | number)[];
  const backlog: JobBacklog[] = [];
  for (let index = 0; index < answer.length; index += 3) {
    const [jobName, waiting, since] = answer.slice(index, index + 3) as [string, number, string];
    backlog.push({ jobName, waiting, oldestWaitingAt: since === "" ? undefined : new Date(Number(since)) });
  }
  return backlog;
}
