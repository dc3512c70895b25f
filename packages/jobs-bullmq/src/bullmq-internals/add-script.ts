import { bullmqScript } from "./bullmq-script.ts";
import { Script } from "./script.ts";
import { findHolder } from "./unique-keys.ts";

const scripts = new Map<string, Script>();

/** Returns the script that adds jobs as a command of BullMQ does, such as "addStandardJob:5.81.5". */
export function addScriptFor(command: string): Script {
  let script = scripts.get(command);
  if (script === undefined) {
    const { lua, numberOfKeys } = bullmqScript(command);
    script = new Script(`nidusAdd:${command}`, numberOfKeys, addingJobs(lua));
    scripts.set(command, script);
  }
  return script;
}

/**
 * Returns a script that runs BullMQ's for each job. BullMQ has packed arguments and options for the first one. The others differ in id and
 * data alone. BullMQ's script gets tables in place of what is packed, so that it is unpacked once.
 *
 * KEYS: BullMQ's. ARGV: packed arguments; packed options; the jobs, each as its id, its data and a line break. For jobs with a key as well:
 * the first part of the queue's keys; the hash of cancel requests for idempotency keys, or nothing; the unique key.
 *
 * Answers a number if BullMQ's script refuses the first job, or the jobs that were not stored: the place of each, and the id of the job that is there
 * instead. Looks at keys in the same step, since the key of a cancelled job may expire at any time between two. A job that is there with the
 * same data is the same one: the client sends a command again if the answer was lost.
 */
function addingJobs(lua: string): string {
  return `${findHolder}
local unpackText = cmsgpack.unpack
local cmsgpack = { pack = cmsgpack.pack, unpack = function(packed)
  if type(packed) == 'table' then return packed end
  return unpackText(packed)
end }
local function addJob(KEYS, ARGV)
${lua}
end
local arguments, options = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])
local jobs, keys, requests, uniqueKey = ARGV[3], ARGV[4], ARGV[5] or '', ARGV[6]
local function add(id, data)
  arguments[2], options.jobId = id, id
  local added = addJob(KEYS, { arguments, data, options })
  if not uniqueKey or type(added) == 'number' or added == id then return added end
  return findHolder(keys, uniqueKey) or addJob(KEYS, { arguments, data, options })
end
local function addKeyed(id, data)
  local isThere, hasTime = redis.call('EXISTS', keys .. id) == 1, redis.pcall('HEXISTS', keys .. id, 'timestamp') == 1
  local added = add(id, data)
  if not hasTime then redis.call('HDEL', requests, id) end
  if isThere and redis.pcall('HGET', keys .. id, 'data') ~= data then return added, true end
  return added, false
end
local others, place, start = {}, 0, 1
repeat
  local stop = string.find(jobs, '\\n', start, true)
  local id, data = string.sub(jobs, start, start + 35), string.sub(jobs, start + 36, stop - 1)
  local added, isDuplicate
  if requests ~= '' then added, isDuplicate = addKeyed(id, data) else added = add(id, data) end
  if type(added) == 'number' and place == 0 then return added end
  place = place + 1
  if isDuplicate or added ~= id then
    others[#others + 1] = place
    others[#others + 1] = type(added) == 'string' and added or id
  end
  start = stop + 1
until start > #jobs
return others`;
}
