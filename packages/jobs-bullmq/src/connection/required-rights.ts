import { type RedisClient, Script } from "../bullmq-internals/index.ts";

/** Commands that every worker or producer needs, by itself or in a script. */
const neededCommands: readonly string[] = [
  ...["MULTI", "EXEC", "EVAL", "EVALSHA", "TIME", "INFO", "BZPOPMIN"],
  ...["DEL", "EXISTS", "GET", "INCR", "PERSIST", "PEXPIRE", "PTTL", "SET", "TYPE"],
  ...["HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HMGET", "HMSET", "HSET"],
  ...["LINDEX", "LLEN", "LPUSH", "LRANGE", "LREM", "RPOPLPUSH", "RPUSH"],
  ...["SADD", "SCARD", "SMEMBERS", "SREM", "XADD", "XTRIM"],
  ...["ZADD", "ZCARD", "ZCOUNT", "ZPOPMIN", "ZRANGE", "ZRANGEBYSCORE", "ZREM", "ZREVRANGE", "ZSCORE"],
];

/** Finds commands that the user may not use on a key. KEYS: the key. ARGV: the commands. Redis before 7 cannot tell. */
const lackingScript = new Script(
  "nidusLackingRights",
  1,
  `
local lacking = {}
if redis.acl_check_cmd == nil then return lacking end
for _, command in ipairs(ARGV) do
  if not redis.acl_check_cmd(command, KEYS[1]) then lacking[#lacking + 1] = command end
end
return lacking`,
);

/**
 * Checks that the user of the connection may use what the engine needs. Otherwise jobs would be stored, or run, and never settled.
 *
 * @throws (rejects with) Error that names the commands.
 */
export async function requireRights(client: RedisClient, namesKey: string): Promise<void> {
  const lacking = (await lackingScript.run(client, [namesKey, ...neededCommands])) as string[];
  if (lacking.length > 0) throw lackingRights(lacking);
  await client
    .multi()
    .runCommand(lackingScript.name, [namesKey])
    .exec()
    .catch((error: unknown) => {
      // A Redis before 7. ioredis sends EXEC although it has refused MULTI.
      if (/EXEC without MULTI/.test(String(error))) throw lackingRights(["MULTI"], error);
      throw error;
    });
}

function lackingRights(commands: readonly string[], cause?: unknown): Error {
  return new Error(`NOPERM: the user may not use ${commands.join(", ")}`, { cause });
}
