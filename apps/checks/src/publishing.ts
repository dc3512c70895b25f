import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { type Package, publishedPackages } from "./repository.ts";
import { pack } from "./tarballs.ts";

/** What publint and "are the types wrong" find in the packed tarballs. */
export async function checkTarballs(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-tarballs-"));
  try {
    const problems: string[] = [];
    for (const each of publishedPackages()) problems.push(...(await checkTarball(each, folder)));
    return problems;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function checkTarball(each: Package, folder: string): Promise<string[]> {
  const tarball = await pack(each, folder);
  const commands: [string, string[]][] = [
    ["publint", ["run", tarball, "--strict"]],
    ["attw", [tarball, "--profile", "esm-only", "--no-emoji"]],
  ];
  const ended = await Promise.all(
    commands.map(async ([command, args]) => ({ command, ...(await run(command, args)) })),
  );
  return ended
    .filter(({ isOk }) => !isOk)
    .map(({ command, output }) => `${each.manifest.name}: ${command}: ${output}`);
}
