import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answersOn } from "./answers.ts";
import { findCommand } from "./find-command.ts";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** A Redis of one's own, with an append-only file: what it has acknowledged survives its death. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it by SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again, after `kill` or `pause`, with what it has on disk. */
  start(): Promise<void>;
  /** Ends it for good and removes its files. */
  stop(): Promise<void>;
}

export const redisCommand: string | undefined = findCommand("redis-server");

/**
 * Starts a Redis, with further arguments for `redis-server` if you like.
 *
 * @throws (rejects with) Error if there is no `redis-server`, or if it does not start.
 */
export async function startRedis(further: readonly string[] = []): Promise<RedisServer> {
  if (redisCommand === undefined) throw new Error("there is no redis-server on the PATH");
  const folder = await mkdtemp(join(tmpdir(), "nidus-redis-"));
  const port = await freePort();
  // It writes before it answers. With "everysec" it would put writing off while it syncs, on a machine whose disk is busy.
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
      await rm(folder, { recursive: true, force: true });
    },
  };
}
