/**
 * Stores jobs as BullMQ and the engine's own scripts do, oldest first, over the last twelve hours. ARGV: Unix milliseconds, the first place
 * and that after the last, the number of names, the places after the ended, the running, the waiting and the scheduled jobs.
 */
export const fillScript = `
local now, from, to, names = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ended, running, waiting, total = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local subject = string.rep('a daily digest ', 5)
for i = from, to - 1 do
  local name = string.format('job_%03d', i % names)
  local queue = 'nidus.' .. name
  local keys = 'bull:' .. queue .. ':'
  local created = now - math.floor((total - i) * 43200000 / total)
  local id = string.format('%08x-%04x-7%03x-8%03x-%012x', math.floor(created / 65536), created % 65536, i % 4096, 0, i)
  local payload = '{"to":"user-' .. i .. '@example.org","subject":"' .. subject .. '"}'
  local data = '{"payloadBytes":' .. #payload .. ',"payload":' .. payload
  local opts = '{"attempts":5,"jobId":"' .. id .. '","timestamp":' .. created .. ',"backoff":{"type":"exponential","delay":250},' ..
    '"removeOnComplete":{"age":86400},"removeOnFail":{"age":1209600},"stackTraceLimit":0'
  local job = keys .. id
  local function store(more, dataEnd, optsEnd)
    redis.call('HSET', job, 'name', name, 'data', data .. (dataEnd or '') .. '}', 'opts', opts .. (optsEnd or '') .. '}',
      'timestamp', created, 'delay', 0, 'priority', 0, unpack(more))
  end
  local started = { 'processedOn', created + 1000, 'ats', 1 }
  if i < ended then
    local kind = math.floor(i / names) % 15
    local at = created + 2000
    local done = { 'processedOn', created + 1000, 'finishedOn', at, 'ats', 1, 'atm', 1 }
    if kind == 0 then
      local message = 'connect ECONNREFUSED 10.0.0.' .. i % 50
      done[#done + 1] = 'failedReason'
      done[#done + 1] = message
      done[#done + 1] = 'stacktrace'
      done[#done + 1] = '[]'
      done[#done + 1] = 'nidusErrors'
      done[#done + 1] = '[{"attempt":5,"message":"' .. message .. '","at":"2026-01-01T00:00:00.000Z"}]'
      store(done)
      redis.call('ZADD', keys .. 'failed', at, id)
    elseif kind == 1 then
      local cancellations = 'bull:nidus:cancelled:' .. name
      job = cancellations .. ':' .. id
      store({ 'nidusCancelledAt', at })
      redis.call('PEXPIRE', job, 86400000)
      redis.call('ZADD', cancellations, at, id)
    else
      done[#done + 1] = 'returnvalue'
      done[#done + 1] = 'null'
      store(done)
      redis.call('ZADD', keys .. 'completed', at, id)
    end
  elseif i < running then
    store(started)
    redis.call('LPUSH', keys .. 'active', id)
    redis.call('SET', job .. ':lock', 'a lease', 'PX', 21600000)
  elseif i < waiting and i % 20 == 0 then
    store({ 'priority', 5 }, nil, ',"priority":5')
    redis.call('ZADD', keys .. 'prioritized', 5 * 0x100000000 + redis.call('INCR', keys .. 'pc'), id)
  elseif i < waiting then
    local key = i % 20 == 1 and { 'deid', 'key-' .. i } or {}
    store(key, nil, i % 20 == 1 and ',"de":{"id":"key-' .. i .. '"}' or nil)
    if i % 20 == 1 then redis.call('SET', keys .. 'de:key-' .. i, id) end
    redis.call('LPUSH', keys .. 'wait', id)
  else
    local at = now + (i % 1440 + 60) * 60000
    store({ 'delay', at - created }, ',"runAtMs":' .. at)
    redis.call('ZADD', keys .. 'delayed', at * 0x1000, id)
  end
end`;

/** Removes all jobs of a name that have not ended. */
export const emptyScript = `
local keys = 'bull:nidus.' .. ARGV[1] .. ':'
redis.call('UNLINK', keys .. 'wait', keys .. 'delayed', keys .. 'prioritized', keys .. 'active', keys .. 'marker')`;
