import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./execute.ts";

/**
 * Copies the committed files of a checkout into a new folder and installs their dependencies. Then raises the versions there, as the pull
 * request of the release workflow does.
 *
 * @throws (rejects with) Error with the output of the command that failed.
 */
export async function raisedCopy(
  checkout: string,
  copy: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  await execute("git", ["clone", "--quiet", checkout, copy], checkout, { signal });
  const git = (...args: string[]): Promise<string> => execute("git", args, copy, { signal });
  await endHistory(copy, git);
  await git("config", "user.name", "release rehearsal");
  await git("config", "user.email", "rehearsal@localhost");
  const env = { CI: "true" };
  await execute("pnpm", ["install", "--frozen-lockfile", "--prefer-offline"], copy, { env, signal });
  await execute("pnpm", ["run", "version-packages"], copy, { env, signal });
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", "Version packages");
}

/** Makes the oldest commits of a shallow checkout the first ones. Otherwise changesets asks for older commits without end. */
async function endHistory(copy: string, git: (...args: string[]) => Promise<string>): Promise<void> {
  const shallow = join(copy, ".git", "shallow");
  const oldest = await readFile(shallow, "utf8").catch(() => "");
  for (const commit of oldest.split("\n").filter(Boolean)) await git("replace", "--graft", commit);
  await rm(shallow, { force: true });
}
