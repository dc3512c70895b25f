import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A StatsD agent that keeps the lines it receives. */
export interface StatsdAgent extends AsyncDisposable {
  readonly port: number;
  /** Waits for a number of lines. Resolves to them, in order of arrival. */
  lines(count: number): Promise<string[]>;
}

/** Starts an agent on a free port of the loopback interface. */
export async function statsdAgent(): Promise<StatsdAgent> {
  const socket = createSocket("udp4");
  const received: string[] = [];
  socket.on("message", (message) => received.push(...message.toString("utf8").split("\n")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    async lines(count) {
      while (received.length < count) await once(socket, "message");
      return received.splice(0, count);
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}
