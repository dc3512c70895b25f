import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Example, runExamples, writeExampleProject } from "checks";
import { execute } from "./execute.ts";
import type { PackageManager } from "./package-manager.ts";
import type { Tarball } from "./publish.ts";
import type { Registry } from "./registry.ts";

/**
 * Installs published packages in a fresh project below `folder`, and compiles and runs the examples there.
 *
 * @throws (rejects with) Error with the output of the step that failed.
 */
export async function tryInstallation(
  manager: PackageManager,
  packages: readonly Tarball[],
  examples: readonly Example[],
  registry: Registry,
  folder: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const project = join(folder, manager.name);
  await mkdir(project);
  const versions = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  await writeExampleProject(project, versions, examples);
  await manager.configure(project, registry);
  await execute(manager.command, manager.args, project, { signal });
  const problems = await runExamples(project, examples, signal);
  if (problems.length > 0) throw new Error(problems.join("\n"));
}
