import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "checks";
import type { Runtime } from "./runtimes.ts";

/** Git ignores it, and it outlives builds and tests: runtimes are large. */
const cache = fileURLToPath(new URL("../node_modules/.cache/runtimes", import.meta.url));

/**
 * The path of a runtime's executable, which is installed from npm the first time that it is asked for.
 *
 * @throws Error where the package cannot be installed, or does not run on this machine.
 */
export async function executableOf(runtime: Runtime): Promise<string> {
  const { product, version, packageName } = runtime;
  const folder = join(cache, `${product.toLowerCase()}-${version}`);
  const within = join("node_modules", packageName, runtime.executable);
  if (existsSync(join(folder, within))) return join(folder, within);
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `the runtimes are packages for Linux on x64, and this is ${process.platform} on ${process.arch}`,
    );
  }
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, "new-"));
  try {
    // An executable is all that is wanted of the package: none of its scripts, which could fetch more.
    const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", fresh];
    const installed = await run("npm", ["install", ...options, `${packageName}@${version}`], fresh);
    if (!installed.isOk) throw new Error(`${packageName}@${version} was not installed: ${installed.output}`);
    const started = await run(join(fresh, within), ["--version"], fresh);
    if (!started.isOk || !started.output.includes(version)) {
      throw new Error(`${packageName}@${version} does not run as ${version}: ${started.output}`);
    }
    // Whole, or not at all: a run that is cut short leaves nothing that looks like a runtime.
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return join(folder, within);
}
