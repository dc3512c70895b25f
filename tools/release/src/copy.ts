import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./execute.ts";

/**
 * Copies what is committed of a checkout into a folder that does not exist, with its dependencies installed, and raises the versions there
 * as the pull request of the release workflow does.
 *
 * @throws (rejects with) Error with what a command said.
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

/** Where a checkout has only its newest commits, changesets would ask for older ones without end: the oldest are made the first. */
async function endHistory(copy: string, git: (...args: string[]) => Promise<string>): Promise<void> {
  const shallow = join(copy, ".git", "shallow");
  const oldest = await readFile(shallow, "utf8").catch(() => "");
  for (const commit of oldest.split("\n").filter(Boolean)) await git("replace", "--graft", commit);
  await rm(shallow, { force: true });
}
