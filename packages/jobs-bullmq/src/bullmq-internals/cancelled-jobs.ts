/**
 * Keeps a cancelled job that is about to be removed, since BullMQ has no state for it: its id in the sorted set of cancellations, by the
 * time, and its fields in a record beside, which Redis lets expire at the end of its retention. The cleaner then forgets the id. Keeps
 * nothing of a job without a retention. `at` is in Unix milliseconds; its fraction marks the settlement that wrote it.
 */
export const keepCancelled = `
local function retainedMs(job, defaultMs)
  local isRead, opts = pcall(cjson.decode, redis.call('HGET', job, 'opts') or '')
  local keep = isRead and type(opts) == 'table' and opts.removeOnComplete
  if keep == true or keep == 0 then return 0 end
  return type(keep) == 'table' and tonumber(keep.age) and tonumber(keep.age) * 1000 or tonumber(defaultMs)
end
local function keepCancelled(keys, id, cancellations, at, defaultMs)
  local job, record = keys .. id, cancellations .. ':' .. id
  local keptMs = math.floor(retainedMs(job, defaultMs))
  if keptMs <= 0 then return end
  redis.call('DEL', record)
  local fields = redis.call('HGETALL', job)
  for i = 1, #fields, 2 do redis.call('HSET', record, fields[i], fields[i + 1]) end
  redis.call('HSET', record, 'nidusCancelledAt', at)
  redis.call('PEXPIRE', record, keptMs)
  redis.call('ZADD', cancellations, string.match(at, '^%d+'), id)
end`;
