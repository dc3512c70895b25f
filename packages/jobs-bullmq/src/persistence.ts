import type { RedisClient } from "./queues.ts";

/** Warns, by process warnings, of a Redis that may lose what it has acknowledged. */
export async function warnOfLosses(client: RedisClient, address: string): Promise<void> {
  const info = await client.info();
  if (!/^aof_enabled:1/m.test(info)) {
    warn(
      `Redis at ${address} keeps no append-only file (appendonly): jobs since its last snapshot are lost if it dies`,
    );
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== "noeviction") {
    warn(
      `Redis at ${address} evicts keys when its memory is full (maxmemory-policy ${policy}): jobs would be lost`,
    );
  }
}

function warn(message: string): void {
  process.emitWarning(message, "NidusWarning");
}
