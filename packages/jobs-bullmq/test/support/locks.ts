import { Queue } from "bullmq";
import type { RedisServer } from "test-servers";

/** The leases that Redis has of an engine's jobs. */
export async function locksOf({ url }: RedisServer, queue: string): Promise<readonly string[]> {
  const own = new Queue("locks", { connection: { url } });
  const client = (await own.client) as unknown as { keys(pattern: string): Promise<string[]> };
  try {
    return await client.keys(`bull:${queue}.*:lock`);
  } finally {
    await own.close();
  }
}
