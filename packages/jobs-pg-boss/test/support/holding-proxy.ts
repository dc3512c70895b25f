import { connect, createServer, type Socket } from "node:net";

/** A proxy to a server that can fall silent: connections stay open, and no data comes through. */
export interface HoldingProxy extends AsyncDisposable {
  readonly url: string;
  hold(): void;
}

export async function startHoldingProxy(target: string): Promise<HoldingProxy> {
  const url = new URL(target);
  const { port, hostname } = url;
  const sockets = new Set<Socket>();
  let isHeld = false;
  const keep = (socket: Socket, other: () => void): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", other);
  };
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    keep(client, () => server.destroy());
    keep(server, () => client.destroy());
    client.on("data", (data) => isHeld || server.write(data));
    server.on("data", (data) => isHeld || client.write(data));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  url.port = String((proxy.address() as { port: number }).port);
  return {
    url: url.href,
    hold() {
      isHeld = true;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
