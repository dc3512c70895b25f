import type { RedisClient } from "./redis-client.ts";

/** Closing a worker closes the connection on which it waits. The shared client must stay open. */
const ending: readonly PropertyKey[] = ["disconnect", "quit"];

/**
 * Returns a client that stands in for the connection on which a BullMQ worker waits for jobs. The worker never waits there, since the engine
 * waits for all queues on one connection.
 */
export function notBlockingClient(client: RedisClient): RedisClient {
  const own = new Map<PropertyKey, unknown>(ending.map((name) => [name, async () => {}]));
  return new Proxy(client, {
    get: (target, name) => (own.has(name) ? own.get(name) : Reflect.get(target, name, target)),
    // BullMQ marks a client that it has closed.
    set: (_, name, value) => {
      own.set(name, value);
      return true;
    },
  });
}
