import type { ListedQueue } from "./find-stored-job.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";
import { type FieldsAnswer, readFields, type StoredFields, storedFieldsFrom } from "./stored-fields.ts";

/**
 * Lists jobs. KEYS: the hash of names. ARGV: Unix milliseconds, 1 to read payloads, how many at most, a state or nothing, JSON of the
 * place after which to begin; of each queue the first part of its keys and its sorted set of cancellations. Answers for each job: the
 * place of its queue, its part, its number there, its fields.
 *
 * The jobs of a queue are in parts, which follow each other. A job that runs through goes on to later parts.
 *
 * | part    | jobs                                           | order                  | number                  |
 * | ------- | ---------------------------------------------- | ---------------------- | ----------------------- |
 * | 1       | scheduled: delayed, and not due                | latest due first       | score                   |
 * | 2       | waiting: delayed, and due                      | latest due first       | score                   |
 * | 3       | waiting, with a priority                       | last in line first     | score                   |
 * | 4, 5    | waiting in the lists `wait` and `paused`       | last in line first     | how many are behind it  |
 * | 6       | running                                        | latest started first   | how many are behind it  |
 * | 7, 8, 9 | succeeded, failed, cancelled: one part, merged | latest ended first     | when it ended           |
 *
 * A place in a sorted set is a score and an id, and stays right whatever is added and removed. A place in a list is found by the jobs that
 * were listed last. If none of them is there any more, the next page begins where they were, counted from the end at which workers take
 * jobs. Each page reads from the place on, so that its time does not grow with the queue, except for finding the place in a list.
 */
const listScript = new Script(
  "nidusList",
  1,
  `${readFields}
local withPayload, limit, wanted, after = ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4], cjson.decode(ARGV[5])
local due = string.format('%.0f', (tonumber(ARGV[1]) + 1) * 0x1000 - 1)
local chunk, found = 100, {}

local function isBehind(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- How many members are not behind a score and a member, in falling order.
local function rankBehind(key, score, member)
  local low = redis.call('ZCOUNT', key, '(' .. score, '+inf')
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBehind(redis.call('ZREVRANGE', key, middle, middle)[1], member) then high = middle else low = middle + 1 end
  end
  return low
end

-- Returns a function that gives members and scores one by one, in falling order.
local function membersFrom(key, rank)
  local loaded, index = {}, 1
  return function()
    if not loaded[index] then
      loaded = redis.call('ZREVRANGE', key, rank, rank + chunk - 1, 'WITHSCORES')
      rank, index = rank + chunk, 1
    end
    index = index + 2
    return loaded[index - 2], loaded[index - 1]
  end
end

local function add(queue, part, number, hash, id, state)
  local fields = readFields(hash, id, state, withPayload)
  if fields then found[#found + 1] = { queue, part, number, fields } end
end

local function isNeeded(state) return #found <= limit and (wanted == '' or wanted == state) end

local function addSorted(queue, keys, part, set, state, first, floor, from)
  if not isNeeded(state) then return end
  local key = keys .. set
  local rank = first and redis.call('ZCOUNT', key, '(' .. first, '+inf') or 0
  if from then rank = math.max(rank, rankBehind(key, from[3], from[4])) end
  local nextMember = membersFrom(key, rank)
  while #found <= limit do
    local id, score = nextMember()
    if not id or floor and tonumber(score) <= tonumber(floor) then return end
    add(queue, part, score, keys .. id, id, state)
  end
end

local function addList(queue, keys, part, list, state, from)
  if not isNeeded(state) then return end
  local key = keys .. list
  local length, index = redis.call('LLEN', key), 0
  if from then
    index = math.max(0, length - tonumber(from[3]))
    for i = 4, #from do
      local place = redis.pcall('LPOS', key, from[i])
      if type(place) == 'number' then
        index = place + 1
        break
      end
    end
  end
  while #found <= limit and index < length do
    for offset, id in ipairs(redis.call('LRANGE', key, index, index + chunk - 1)) do
      if #found <= limit then add(queue, part, string.format('%d', length - index - offset), keys .. id, id, state) end
    end
    index = index + chunk
  end
end

local function addEnded(queue, keys, cancellations, from)
  local sets = {
    { keys .. 'completed', 'succeeded', keys },
    { keys .. 'failed', 'dead-lettered', keys },
    { cancellations, 'cancelled', cancellations .. ':' },
  }
  local heads = {}
  for i, set in ipairs(sets) do
    if isNeeded(set[2]) then
      local rank, part = 0, i + 6
      if from and part == from[2] then rank = rankBehind(set[1], from[3], from[4])
      elseif from then rank = redis.call('ZCOUNT', set[1], (part < from[2] and '' or '(') .. from[3], '+inf') end
      local head = { part = part, set = set, next = membersFrom(set[1], rank) }
      head.id, head.score = head.next()
      heads[#heads + 1] = head
    end
  end
  while #found <= limit do
    local latest
    for _, head in ipairs(heads) do
      if head.id and (not latest or tonumber(head.score) > tonumber(latest.score)) then latest = head end
    end
    if not latest then return end
    add(queue, latest.part, latest.score, latest.set[3] .. latest.id, latest.id, latest.set[2])
    latest.id, latest.score = latest.next()
  end
end

local function addAll(queue, keys, cancellations, after)
  local begin = after and after[2] or 1
  local function from(part) return begin == part and after end
  if begin <= 1 then addSorted(queue, keys, 1, 'delayed', 'scheduled', nil, due, from(1)) end
  if begin <= 2 then addSorted(queue, keys, 2, 'delayed', 'waiting', due, nil, from(2)) end
  if begin <= 3 then addSorted(queue, keys, 3, 'prioritized', 'waiting', nil, nil, from(3)) end
  if begin <= 4 then addList(queue, keys, 4, 'wait', 'waiting', from(4)) end
  if begin <= 5 then addList(queue, keys, 5, 'paused', 'waiting', from(5)) end
  if begin <= 6 then addList(queue, keys, 6, 'active', 'running', from(6)) end
  addEnded(queue, keys, cancellations, begin > 6 and after)
end

for i = 6, #ARGV, 2 do
  if #found > limit then break end
  pcall(addAll, (i - 6) / 2, ARGV[i], ARGV[i + 1], i == 6 and after[1] and after)
end
return found`,
);

/** The place of a job in the list of a queue. */
export interface ListPlace {
  readonly part: number;
  /** Its score, or how many jobs are behind it. */
  readonly number: string;
  /** Its id; of a list, the ids of the jobs that were listed last, the last one first. */
  readonly ids: readonly string[];
}

/** A job of the list, and its place. */
export interface ListedFields {
  readonly queue: ListedQueue;
  readonly part: number;
  readonly number: string;
  readonly fields: StoredFields;
}

type Answer = readonly [queue: number, part: number, number: string, fields: FieldsAnswer];

/** Tells whether the jobs of a part are in a list, in which a place is found by several ids. */
export function isListPart(part: number): boolean {
  return part >= 4 && part <= 6;
}

/** The last part. */
export const lastPart = 9;

/**
 * Lists the jobs of these queues, one queue after the other. Begins after a place in the first one. Answers one job more than `limit` if
 * there are more.
 */
export async function listJobs(
  client: RedisClient,
  namesKey: string,
  queues: readonly ListedQueue[],
  { state, limit, withPayload }: ListOptions,
  after: ListPlace | undefined,
): Promise<readonly ListedFields[]> {
  const options = [String(Date.now()), withPayload ? "1" : "0", String(limit), state ?? ""];
  const begin = JSON.stringify(after === undefined ? [] : [true, after.part, after.number, ...after.ids]);
  const places = queues.flatMap(({ keys, cancellations }) => [keys, cancellations]);
  const answers = (await listScript.run(client, [namesKey, ...options, begin, ...places])) as Answer[];
  return answers.map(([queue, part, number, fields]) => ({
    queue: queues[queue] as ListedQueue,
    part,
    number,
    fields: storedFieldsFrom(fields),
  }));
}

/** Which jobs are listed. */
export interface ListOptions {
  readonly state?: StoredFields["state"] | undefined;
  readonly limit: number;
  readonly withPayload: boolean;
}
