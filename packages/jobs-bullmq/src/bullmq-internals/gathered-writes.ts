import type { RedisClient } from "./redis-client.ts";

/** The socket of an ioredis client. The client of a cluster has one for each node, and none here. */
interface Socket {
  cork(): void;
  uncork(): void;
}

/**
 * Gathers what a client writes until the end of the event loop's turn, and sends it in one system call. Call it before a command. ioredis
 * writes each command by itself, and a worker sends up to one for each of its slots in one turn: the calls cost more than the handlers'
 * bookkeeping.
 */
export function gatherWrites(client: RedisClient): void {
  const { stream } = client as { readonly stream?: Socket };
  if (stream === undefined || gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  setImmediate(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}

const gathering = new WeakSet<Socket>();
