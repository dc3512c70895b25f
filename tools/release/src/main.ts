import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "checks";
import { type Mode, modeOf } from "./mode.ts";
import { configuredRegistry } from "./registry.ts";
import { rehearse } from "./rehearse.ts";
import { release } from "./release.ts";

/** Bounds a release. A longer one hangs. */
const limitMs = 20 * 60_000;

async function perform(mode: Mode, work: string, signal: AbortSignal): Promise<void> {
  if (mode === "rehearsal") return rehearse(root, work, signal);
  const token = process.env.NPM_TOKEN || undefined;
  // Commands inherit the environment, and only npm needs the token.
  delete process.env.NPM_TOKEN;
  const registry = { url: await configuredRegistry(root), token, hasProvenance: true };
  return release(root, registry, work, signal);
}

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());
const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(limitMs)]);

let work: string | undefined;
try {
  const mode = modeOf(process.argv.slice(2), process.env);
  work = await mkdtemp(join(tmpdir(), "nidus-release-"));
  await perform(mode, work, signal);
  console.log(`${mode}: passed`);
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  console.log("release: failed");
  process.exitCode = 1;
} finally {
  if (work !== undefined) await rm(work, { recursive: true, force: true });
}
