import { run } from "checks";
import { execute } from "./execute.ts";
import { npmEnvironment, type Registry, withoutToken } from "./registry.ts";

/** A packed package. */
export interface Tarball {
  readonly name: string;
  readonly version: string;
  readonly file: string;
}

/**
 * Publishes the tarballs that the registry lacks, so that an interrupted release can be repeated.
 *
 * @returns the tarballs that it published.
 * @throws (rejects with) Error with the output of npm, without the token.
 */
export async function publish(
  tarballs: readonly Tarball[],
  registry: Registry,
  folder: string,
  signal?: AbortSignal | undefined,
): Promise<Tarball[]> {
  const options = { env: npmEnvironment(registry), signal };
  const published: Tarball[] = [];
  try {
    for (const tarball of tarballs) {
      if (await isPublished(tarball, registry, folder, signal)) continue;
      const provenance = registry.hasProvenance ? ["--provenance"] : [];
      await execute("npm", ["publish", tarball.file, "--access", "public", ...provenance], folder, options);
      published.push(tarball);
    }
  } catch (error) {
    throw new Error(withoutToken(String(error), registry));
  }
  return published;
}

/** Tells whether a registry has this version of a package. */
export async function isPublished(
  { name, version }: Tarball,
  registry: Registry,
  folder: string,
  signal?: AbortSignal | undefined,
): Promise<boolean> {
  const options = { env: npmEnvironment(registry), signal };
  const args = ["view", `${name}@${version}`, "version", "--prefer-online"];
  const { isOk, output } = await run("npm", args, folder, options);
  if (isOk) return output.includes(version);
  if (output.includes("E404")) return false;
  throw new Error(withoutToken(`${name} could not be looked up: ${output}`, registry));
}
