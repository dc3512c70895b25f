import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a Redis on which something happens between a command and its answer. */
export interface WatchedLink {
  readonly port: number;
  /** Holds the answer to the next command that has this text, until `meanwhile` has ended. */
  holdAnswerTo(text: string, meanwhile: () => Promise<unknown>): void;
  /** Loses the answer to the next command that has this text, and the connection with it. Redis has done the command by then. */
  loseAnswerTo(text: string): void;
  close(): Promise<void>;
}

export async function watchedLink(port: number): Promise<WatchedLink> {
  let watched:
    | { readonly text: string; readonly meanwhile: (() => Promise<unknown>) | undefined }
    | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(port, "127.0.0.1");
    let meanwhile: (() => Promise<unknown>) | undefined;
    let isLost = false;
    let answered = Promise.resolve();
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
    client.on("data", (data) => {
      if (watched !== undefined && data.includes(watched.text)) {
        meanwhile = watched.meanwhile;
        isLost = meanwhile === undefined;
        watched = undefined;
      }
      redis.write(data);
    });
    redis.on("data", (data) => {
      if (isLost) {
        client.destroy();
        return;
      }
      const first = meanwhile;
      meanwhile = undefined;
      if (first !== undefined) answered = answered.then(async () => void (await first()));
      answered = answered.then(() => void client.write(data));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    holdAnswerTo(text, meanwhile) {
      watched = { text, meanwhile };
    },
    loseAnswerTo(text) {
      watched = { text, meanwhile: undefined };
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
