import { execFile } from "node:child_process";
import { chown, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { answersOn, sslRequest } from "./answers.ts";
import { prepareCluster } from "./empty-cluster.ts";
import { findCommand } from "./find-command.ts";
import { freePort } from "./free-port.ts";
import { removeFolder } from "./remove-folder.ts";
import { ServerProcess } from "./server-process.ts";
import { serverUser } from "./server-user.ts";

/** A PostgreSQL server for tests, with default settings on disk: acknowledged data survives its death. */
export interface PostgresServer {
  readonly port: number;
  /** The URL of its only database, with its superuser, who needs no password. */
  readonly url: string;
  /** Ends the server at once, like a crash. Running statements do not finish. */
  kill(): Promise<void>;
  /** Starts the server again, with its data on disk. */
  start(): Promise<void>;
  /** Ends the server for good and removes its files. */
  stop(): Promise<void>;
}

export const postgresCommand: string | undefined = findCommand("postgres");

/**
 * Starts a PostgreSQL, with optional settings such as "max_connections=50".
 *
 * @throws (rejects with) Error if `postgres` or `initdb` is missing, or if the server does not start.
 */
export async function startPostgres(further: readonly string[] = []): Promise<PostgresServer> {
  const initdb = findCommand("initdb");
  if (postgresCommand === undefined || initdb === undefined) {
    throw new Error("there is no PostgreSQL server on the PATH or in Debian's folder for it");
  }
  const folder = await mkdtemp(join(tmpdir(), "nidus-postgres-"));
  // PostgreSQL refuses to run as root.
  const user = serverUser();
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid ?? user.uid);
  const data = join(folder, "data");
  await prepareCluster(folder, initdb, user);
  const port = await freePort();
  const own = [
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "max_connections=200",
    // Elsewhere, a killed server would leave what it shares in the memory of the machine.
    "dynamic_shared_memory_type=mmap",
  ];
  const settings = [...own, ...further];
  const server = new ServerProcess(
    postgresCommand,
    ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    { ...user, cwd: folder },
    () => isReady(port),
  );
  await server.start();
  return {
    port,
    url: `postgres://nidus@127.0.0.1:${port}/postgres`,
    // SIGQUIT is PostgreSQL's immediate shutdown. SIGKILL would leave its children behind.
    kill: () => server.stop("SIGQUIT"),
    start: () => server.start(),
    async stop() {
      await server.stop("SIGQUIT");
      await removeFolder(folder);
    },
  };
}

async function isReady(port: number): Promise<boolean> {
  const answers = await Promise.all(["S", "N"].map((answer) => answersOn(port, sslRequest, answer)));
  if (!answers.includes(true)) return false;
  const pgIsReady = findCommand("pg_isready");
  if (pgIsReady === undefined) return true;
  return promisify(execFile)(pgIsReady, ["-h", "127.0.0.1", "-p", String(port), "-q"]).then(
    () => true,
    () => false,
  );
}
