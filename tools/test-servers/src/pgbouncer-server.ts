import { chown, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answersOn, sslRequest } from "./answers.ts";
import { freePort } from "./free-port.ts";
import { removeFolder } from "./remove-folder.ts";
import { ServerProcess } from "./server-process.ts";
import { serverUser } from "./server-user.ts";

/** A real PgBouncer, which gives each transaction any of its connections. */
export interface PgBouncer extends AsyncDisposable {
  /** The URL of the database behind it. */
  readonly url: string;
}

/** The program must be installed on the machine: no npm package has it. */
export const pgBouncerProgram = "pgbouncer";

/** Starts a PgBouncer in front of a database. Resolves when it answers. */
export async function startPgBouncer(databaseUrl: string): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-pgbouncer-"));
  // PgBouncer refuses to run as root.
  const user = serverUser();
  if (user.uid !== undefined) await chown(folder, user.uid, user.gid ?? user.uid);
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const database = decodeURIComponent(pathname.slice(1));
  const ownPort = await freePort();
  const login = [`host=${hostname}`, `port=${port || 5432}`, `dbname=${database}`, `user=${username}`];
  if (password !== "") login.push(`password=${password}`);
  const file = join(folder, "pgbouncer.ini");
  const settings = [
    "[databases]",
    `${database} = ${login.join(" ")}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${ownPort}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
  ];
  await writeFile(file, `${settings.join("\n")}\n`);
  if (user.uid !== undefined) await chown(file, user.uid, user.gid ?? user.uid);
  const server = new ServerProcess(pgBouncerProgram, [file], { ...user, cwd: folder }, () =>
    answersOn(ownPort, sslRequest, "N"),
  );
  await server.start();
  return {
    url: `postgres://${username}@127.0.0.1:${ownPort}/${database}`,
    async [Symbol.asyncDispose]() {
      await server.kill();
      await removeFolder(folder);
    },
  };
}
