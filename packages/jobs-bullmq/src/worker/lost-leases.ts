import { setTimeout as pause } from "node:timers/promises";
import { leasesWithToken, type RedisClient, repairJob } from "../bullmq-internals/index.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/**
 * Puts back jobs whose leasing answer never arrived: a connection that breaks loses the answer, and ioredis sends the command again.
 * Puts the newest back first, so that the oldest is fetched first.
 */
export async function returnLostLeases(client: RedisClient, consumer: QueueConsumer): Promise<void> {
  const { tokens, keyPrefix } = consumer;
  for (const { id, token } of await leasesWithToken(client, keyPrefix, tokens.prefix)) {
    // Waits for an answer that may still come.
    while (tokens.isLost(id, token) === undefined && consumer.closing === undefined) await pause(20);
    if (tokens.isLost(id, token) && (await repairJob(client, keyPrefix, id, token))) {
      await consumer.giveBack(id, token);
    }
  }
}
