import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { checkTarball, examplesOf, pack, publishedPackages } from "checks";
import { openTelemetryLines, tryBesideOpenTelemetry } from "./beside-opentelemetry.ts";
import { execute } from "./execute.ts";
import { tryInstallation } from "./installation.ts";
import { packageManagers } from "./package-manager.ts";
import { isPublished, publish, type Tarball } from "./publish.ts";
import type { Registry } from "./registry.ts";
import { step } from "./step.ts";

/**
 * Publishes the packages of a checkout whose versions were raised. Builds, packs and checks each package once, and publishes these tarballs
 * if the registry lacks them. Then installs them with each package manager, runs the examples, and adds them to applications with either
 * line of OpenTelemetry.
 *
 * @param work - an empty folder for tarballs and projects.
 * @throws (rejects with) Error with the failed step. Repeat the call: published packages stay.
 */
export async function release(
  checkout: string,
  registry: Registry,
  work: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  await step("versions are raised", async () => refusePending(await readdir(join(checkout, ".changeset"))));
  const build = ["run", "build", "--filter=./packages/*", "--output-logs=errors-only"];
  await step("build", () => execute("turbo", build, checkout, { signal }));
  const tarballs = await step(
    "pack",
    () => packAll(checkout, work),
    (packed) => packed.map(({ name, version }) => `${name}@${version}`).join(" "),
  );
  await step("publint and attw", () => refuseFaulty(tarballs));
  await step(
    "publish",
    () => publish(tarballs, registry, work, signal),
    (now) => `${now.length} published, ${tarballs.length - now.length} were there`,
  );
  await step("visible", () => untilVisible(tarballs, registry, work, signal));
  const examples = examplesOf(checkout);
  for (const manager of packageManagers) {
    await step(
      `install with ${manager.name}`,
      () => tryInstallation(manager, tarballs, examples, registry, work, signal),
      () => `${examples.length} examples compiled and ran`,
    );
    for (const line of Object.keys(openTelemetryLines)) {
      await step(`add with ${manager.name} beside OpenTelemetry ${line}.x`, () =>
        tryBesideOpenTelemetry(manager, line, checkout, tarballs, registry, work, signal),
      );
    }
  }
}

/**
 * Refuses a checkout with changesets that were not applied.
 *
 * @param files - the files of its folder `.changeset`.
 * @throws Error that names the changesets.
 */
export function refusePending(files: readonly string[]): void {
  const pending = files.filter((name) => name.endsWith(".md") && name !== "README.md");
  if (pending.length > 0)
    throw new Error(`expected no changeset that is not applied, found ${pending.join(", ")}`);
}

async function packAll(checkout: string, work: string): Promise<Tarball[]> {
  const folder = join(work, "tarballs");
  await mkdir(folder);
  const packed: Tarball[] = [];
  for (const each of publishedPackages(checkout)) {
    const { name, version } = each.manifest;
    packed.push({ name, version, file: await pack(each, folder) });
  }
  return packed;
}

async function refuseFaulty(tarballs: readonly Tarball[]): Promise<void> {
  const problems: string[] = [];
  for (const { name, file } of tarballs) problems.push(...(await checkTarball(name, file)));
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** Waits until the registry has each version, as long as `signal` allows. Registries answer from caches for a while. */
async function untilVisible(
  tarballs: readonly Tarball[],
  registry: Registry,
  work: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  for (const tarball of tarballs) {
    while (!(await isPublished(tarball, registry, work, signal))) await pause(5_000, undefined, { signal });
  }
}
