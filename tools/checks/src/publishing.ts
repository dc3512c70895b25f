import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { publishedPackages } from "./repository.ts";
import { pack } from "./tarballs.ts";

/** What publint and "are the types wrong" find in the packed tarballs. */
export async function checkTarballs(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-tarballs-"));
  try {
    const problems: string[] = [];
    for (const each of publishedPackages()) {
      problems.push(...(await checkTarball(each.manifest.name, await pack(each, folder))));
    }
    return problems;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What they find in the tarball of one package. */
export async function checkTarball(name: string, tarball: string): Promise<string[]> {
  const commands: [string, string[]][] = [
    ["publint", ["run", tarball, "--strict"]],
    // CommonJS loads the modules by `require`, as Node can from 20.19 on: every other resolution has to find its types.
    ["attw", [tarball, "--ignore-rules", "cjs-resolves-to-esm", "--no-emoji"]],
  ];
  const ended = await Promise.all(
    commands.map(async ([command, args]) => ({ command, ...(await run(command, args)) })),
  );
  return ended.filter(({ isOk }) => !isOk).map(({ command, output }) => `${name}: ${command}: ${output}`);
}
