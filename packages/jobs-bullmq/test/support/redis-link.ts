import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a Redis through this process. */
export interface RedisLink {
  readonly port: number;
  close(): Promise<void>;
}

/** Both ends of a connection. If one closes, so does the other. */
export interface LinkedSockets {
  readonly client: Socket;
  readonly redis: Socket;
}

/** Opens a way to a Redis. `join` is called for each connection, and passes on what comes. */
export async function redisLink(port: number, join: (sockets: LinkedSockets) => void): Promise<RedisLink> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    join({ client, redis });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
