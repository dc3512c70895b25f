import { requireVersion } from "./bullmq-version.ts";
import { hasHashTag } from "./connection.ts";
import { warnOfLosses } from "./persistence.ts";
import type { Queues } from "./queues.ts";

/**
 * Looks at BullMQ and at its server before the engine uses them, and warns if the server may lose jobs.
 *
 * @throws (rejects with) Error for a BullMQ that is too old or too new, for a replica, for a cluster whose prefix has no hash tag, for one node of a cluster.
 */
export async function checkServer(queues: Queues, address: string): Promise<void> {
  requireVersion(queues.version);
  const client = await queues.client;
  const info = await client.info();
  if (/^role:slave\b/m.test(info)) {
    throw new Error(
      `Redis at ${address} is a read-only replica: connect to its primary, or pass \`sentinels\` that lead to it`,
    );
  }
  if (/^(redis_mode:cluster|cluster_enabled:1)\b/m.test(info)) await checkCluster(queues, address);
  warnOfLosses(info, address);
}

async function checkCluster(queues: Queues, address: string): Promise<void> {
  if (!hasHashTag(queues.base)) throw noHashTag(address);
  const client = await queues.client;
  try {
    await client.hmget(queues.namesKey, "");
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith("MOVED ")) throw error;
    throw new Error(
      `Redis at ${address} is one node of a cluster (${message}): pass an ioredis Cluster as \`connection\``,
    );
  }
}

/** What is wrong with a cluster's prefix: the keys of one queue have to be in one slot. */
export function noHashTag(where: string): TypeError {
  return new TypeError(
    `expected \`prefix\` to have a hash tag such as "{nidus}", since ${where} is a cluster: the keys of the queues have to be in one slot`,
  );
}
