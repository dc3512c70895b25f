import type { RedisClient } from "../bullmq-internals/index.ts";
import { requireVersion } from "./bullmq-version.ts";
import { hasHashTag } from "./connection-options.ts";
import { warnOfLosses } from "./persistence-warnings.ts";
import { requireRights } from "./required-rights.ts";

/** The BullMQ and the server that an engine is about to use. */
export interface CheckedServer {
  /** The version of BullMQ, if it says one. */
  readonly version: string | undefined;
  readonly client: Promise<RedisClient>;
  /** The first part of the engine's own keys. */
  readonly base: string;
  /** One of the engine's own keys. */
  readonly namesKey: string;
}

/**
 * Checks BullMQ and its server before the engine uses them. Warns if the server may lose jobs.
 *
 * @throws (rejects with) Error for a BullMQ that is too old or too new, a replica, a cluster whose prefix has no hash tag, one node
 * of a cluster, or a user without a right that the engine needs.
 */
export async function checkServer(server: CheckedServer, address: string): Promise<void> {
  requireVersion(server.version);
  const client = await server.client;
  const info = await client.info();
  if (/^role:slave\b/m.test(info)) {
    throw new Error(
      `Redis at ${address} is a read-only replica: connect to its primary, or pass \`sentinels\` that lead to it`,
    );
  }
  if (/^(redis_mode:cluster|cluster_enabled:1)\b/m.test(info)) await checkCluster(server, address);
  await requireRights(client, server.namesKey);
  warnOfLosses(info, address);
}

async function checkCluster(
  { client: connected, base, namesKey }: CheckedServer,
  address: string,
): Promise<void> {
  if (!hasHashTag(base)) throw noHashTag(address);
  const client = await connected;
  try {
    await client.hmget(namesKey, "");
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith("MOVED ")) throw error;
    throw new Error(
      `Redis at ${address} is one node of a cluster (${message}): pass an ioredis Cluster as \`connection\``,
    );
  }
}

/** Returns the error for a prefix without a hash tag: on a cluster, all keys of a queue have to be in one slot. */
export function noHashTag(where: string): TypeError {
  return new TypeError(
    `expected \`prefix\` to have a hash tag such as "{nidus}", since ${where} is a cluster: the keys of the queues have to be in one slot`,
  );
}
