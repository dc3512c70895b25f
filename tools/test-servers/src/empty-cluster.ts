import { execFile } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { archiveOf } from "./archives.ts";
import type { ServerUser } from "./server-user.ts";

const execute = promisify(execFile);

const options = ["-U", "nidus", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];

/** Puts the folder `data` of an empty cluster into a folder, from an archive: `initdb` computes for most of a second. */
export async function prepareCluster(folder: string, initdb: string, user: ServerUser): Promise<void> {
  const { stdout: version } = await execute(initdb, ["--version"]);
  const owner = user.uid ?? process.getuid?.() ?? 0;
  const archive = await archiveOf(`${version.trim().replace(/[^\w.]+/g, "-")}-${owner}`, async (path) => {
    const place = await mkdtemp(join(tmpdir(), "nidus-initdb-"));
    try {
      if (user.uid !== undefined) await chown(place, user.uid, user.gid ?? user.uid);
      await execute(initdb, ["-D", join(place, "data"), ...options], { ...user, cwd: place });
      await execute("tar", ["-cf", path, "-C", place, "data"]);
    } finally {
      await rm(place, { recursive: true });
    }
  });
  await execute("tar", ["-xf", archive, "-C", folder]);
}
