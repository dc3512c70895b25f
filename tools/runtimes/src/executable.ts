import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "checks";
import type { Runtime } from "./runtimes.ts";

/** The folder of the runtimes. Git ignores it, and it outlives builds and tests, because runtimes are large. */
const cache = fileURLToPath(new URL("../node_modules/.cache/runtimes", import.meta.url));

/**
 * Finds the path of a runtime's executable. The first call installs it from npm.
 *
 * @throws Error if the package cannot be installed, or does not run on this machine.
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
    // Only the executable is needed. The scripts of the package could fetch more.
    const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", fresh];
    const installed = await run("npm", ["install", ...options, `${packageName}@${version}`], fresh);
    if (!installed.isOk) throw new Error(`${packageName}@${version} was not installed: ${installed.output}`);
    const started = await run(join(fresh, within), ["--version"], fresh);
    if (!started.isOk || !started.output.includes(version)) {
      throw new Error(`${packageName}@${version} does not run as ${version}: ${started.output}`);
    }
    // Moved as a whole, so that an interrupted run leaves nothing that looks like a runtime.
    await rename(fresh, folder);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return join(folder, within);
}
