import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Keys, one after the other, as they stand in a command that is sent to Redis. */
const keys = (...names: string[]): RegExp =>
  new RegExp(names.map((name) => `:${name}\\r\\n`).join("\\$\\d+\\r\\n[^\\r]*"));

/** Commands whose answer can be lost. */
export type CommandKind = "fetch" | "complete" | "fail" | "delay" | "handBack";

/** The words that tell BullMQ's commands from each other. */
export const commands: Readonly<Record<CommandKind, RegExp>> = {
  fetch: keys("pc", "marker"),
  complete: keys("metrics:completed"),
  fail: keys("metrics:failed"),
  delay: keys("marker", "active", "prioritized", "delayed"),
  handBack: keys("active", "wait", "stalled"),
};

/** A way to a Redis that breaks when it is told to: the command arrives, and its answer does not. */
export interface BreakingLink {
  readonly port: number;
  /** Loses the answer to the next command of this kind, and the connection with it. */
  loseAnswerTo(command: CommandKind): void;
  /** How many answers were lost. */
  readonly lost: number;
  close(): Promise<void>;
}

export async function breakingLink(port: number): Promise<BreakingLink> {
  let awaited: RegExp | undefined;
  let lost = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const redis = connect(port, "127.0.0.1");
    let isBroken = false;
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
      if (awaited?.test(data.toString("latin1"))) {
        awaited = undefined;
        isBroken = true;
      }
      redis.write(data);
    });
    redis.on("data", (data) => {
      if (!isBroken) client.write(data);
      else if (sockets.has(client)) {
        lost++;
        sockets.delete(client);
        // A transaction answers in pieces: Redis is to have done all of it.
        setTimeout(() => client.destroy(), 50);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    loseAnswerTo(command) {
      awaited = commands[command];
    },
    get lost() {
      return lost;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
