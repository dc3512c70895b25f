import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { run } from "./command.ts";
import type { Package } from "./repository.ts";

/**
 * Packs a built package into `folder`, as a release does. Resolves to the path of the tarball.
 *
 * @throws Error with the output of the packer.
 */
export async function pack(each: Package, folder: string): Promise<string> {
  const { isOk, output } = await run("pnpm", ["pack", "--pack-destination", folder], each.folder);
  if (!isOk) throw new Error(`${each.manifest.name} could not be packed: ${output}`);
  const start = each.manifest.name.replace("@", "").replace("/", "-");
  const file = (await readdir(folder)).find((name) => name === `${start}-${each.manifest.version}.tgz`);
  if (file === undefined) throw new Error(`${basename(each.folder)} was packed under an unknown name`);
  return join(folder, file);
}
