import { once } from "node:events";
import { connect } from "node:net";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { cpuMsOf } from "./cpu-time.ts";
import { emptyScript, fillScript } from "./redis-fill.ts";
import { nameAt, partsOf, type Store } from "./store.ts";

/** How many jobs a script stores. */
const slice = 5_000;

/** The part of a client of Redis that is used here. */
interface Client {
  eval(script: string, keys: number, ...values: string[]): Promise<unknown>;
  info(section: string): Promise<string>;
}

/** Starts a Redis without a file: writing one is no work of the engine's. */
export async function redisStore(): Promise<Store> {
  const server = await startRedis(["--appendonly", "no"]);
  const connection = { host: "127.0.0.1", port: server.port };
  const queue = new Queue("admin", { connection });
  const client = (await queue.client) as unknown as Client;
  const pid = Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);
  return {
    title: "BullMQ 5",
    open: (runner) => bullmqEngine({ runner, connection }),
    async fill(size) {
      const { ended, running, waiting } = partsOf(size);
      const parts = [ended, ended + running, ended + running + waiting, size.jobs].map(String);
      const now = String(Date.now());
      for (let from = 0; from < size.jobs; from += slice) {
        const to = Math.min(size.jobs, from + slice);
        await client.eval(fillScript, 0, now, String(from), String(to), String(size.names), ...parts);
      }
    },
    async empty() {
      for (let place = 0; place < 1_000; place++) await client.eval(emptyScript, 0, nameAt(place));
    },
    cpuMs: () => cpuMsOf(pid),
    requests: (work) => commandsDuring(server.port, work),
    async stop() {
      await queue.close();
      await server.stop();
    },
  };
}

/** Counts the commands that clients send during some work. Redis marks the commands of scripts. */
async function commandsDuring(port: number, work: () => Promise<unknown>): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  socket.write("MONITOR\r\n");
  await once(socket, "data");
  await work();
  const asked = once(socket, "end");
  socket.write("QUIT\r\n");
  await asked;
  return text.split("\r\n").filter((line) => /^\+\d/.test(line) && !/^\+[\d.]+ \[\d+ lua\]/.test(line))
    .length;
}
