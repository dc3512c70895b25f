import type { RedisConnection } from "bullmq";
import type { RedisClient } from "./redis-client.ts";

/** Returns BullMQ's version. Undefined for the first versions of BullMQ 5, whose connections do not have it. */
export function versionOf(connection: RedisConnection): string | undefined {
  return (connection as unknown as { readonly packageVersion?: string }).packageVersion;
}

/** Returns the client of a connection that is made and not ready. BullMQ's `client` resolves only once it is ready. */
export function unreadyClientOf(connection: RedisConnection): RedisClient | undefined {
  const { _client: client } = connection as unknown as {
    readonly _client?: RedisClient & { readonly status?: unknown };
  };
  return client?.status === "connect" ? client : undefined;
}
