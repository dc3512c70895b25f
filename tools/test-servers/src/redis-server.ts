import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answersOn } from "./answers.ts";
import { findCommand } from "./find-command.ts";
import { freePort } from "./free-port.ts";
import { removeFolder } from "./remove-folder.ts";
import { ServerProcess } from "./server-process.ts";

/** A Redis server for tests, with an append-only file: acknowledged data survives its death. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends the server by SIGKILL. */
  kill(): Promise<void>;
  /** Starts the server again after `kill` or `pause`, with its data on disk. */
  start(): Promise<void>;
  /** Ends the server for good and removes its files. */
  stop(): Promise<void>;
}

export const redisCommand: string | undefined = findCommand("redis-server");

/**
 * Starts a Redis, with optional arguments for `redis-server`.
 *
 * @throws (rejects with) Error if `redis-server` is missing, or if the server does not start.
 */
export async function startRedis(further: readonly string[] = []): Promise<RedisServer> {
  if (redisCommand === undefined) throw new Error("there is no redis-server on the PATH");
  const folder = await mkdtemp(join(tmpdir(), "nidus-redis-"));
  const port = await freePort();
  // Redis writes before it answers. With "everysec", it would delay writes during a sync on a busy disk.
  const options = ["--appendonly", "yes", "--appendfsync", "no", "--save", "", "--dir", folder];
  const server = new ServerProcess(
    redisCommand,
    ["--bind", "127.0.0.1", "--port", String(port), ...options, ...further],
    {},
    () => answersOn(port, "PING\r\n", "PONG"),
  );
  await server.start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => server.kill(),
    start: () => server.start(),
    async stop() {
      await server.kill();
      await removeFolder(folder);
    },
  };
}
