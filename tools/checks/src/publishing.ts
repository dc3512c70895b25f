import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { publishedPackages } from "./repository.ts";
import { pack } from "./tarballs.ts";

/** Runs publint and "are the types wrong" on the packed tarballs. Resolves to the problems they find. */
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

/** Runs both on the tarball of one package. */
export async function checkTarball(name: string, tarball: string): Promise<string[]> {
  const commands: [string, string[]][] = [
    ["publint", ["run", tarball, "--strict"]],
    // From Node 20.19 on, CommonJS loads modules by `require`. Every other resolution must find its types.
    ["attw", [tarball, "--ignore-rules", "cjs-resolves-to-esm", "--no-emoji"]],
  ];
  const ended = await Promise.all(
    commands.map(async ([command, args]) => ({ command, ...(await run(command, args)) })),
  );
  return ended.filter(({ isOk }) => !isOk).map(({ command, output }) => `${name}: ${command}: ${output}`);
}
