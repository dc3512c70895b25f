import { connect, createServer, type Socket } from "node:net";

/** A proxy that delivers all of PostgreSQL's messages but notifications, as a pooler of transactions does. */
export interface DeafProxy extends AsyncDisposable {
  readonly url: string;
}

/** The type of NotificationResponse in PostgreSQL's protocol. */
const notification = "A".charCodeAt(0);

/** Splits the server's stream into messages, and leaves out notifications. */
function withoutNotifications(write: (message: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    // A type of one byte, and a length that counts itself.
    while (rest.length >= 5) {
      const end = 1 + rest.readUInt32BE(1);
      if (rest.length < end) return;
      if (rest[0] !== notification) write(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

export async function startDeafProxy(target: string): Promise<DeafProxy> {
  const url = new URL(target);
  const { port, hostname } = url;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => other.destroy());
  };
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    keep(client, server);
    keep(server, client);
    client.on("data", (data) => server.write(data));
    server.on(
      "data",
      withoutNotifications((message) => client.write(message)),
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  url.port = String((proxy.address() as { port: number }).port);
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
