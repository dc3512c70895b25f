import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { npmSetting, type Registry } from "./registry.ts";

/** Installs a project: our packages from the given registry, all others from the one that npm is configured with. */
export interface PackageManager {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Writes its settings into the project. */
  configure(project: string, registry: Registry): Promise<void>;
}

const require = createRequire(import.meta.url);

async function writeNpmrc(project: string, { url }: Registry): Promise<void> {
  await writeFile(join(project, ".npmrc"), `@nidus:registry=${url}\n`);
}

/** What was published a moment ago is otherwise too new for yarn. A scope has a setting of its own. */
const noAgeGate = { npmMinimalAgeGate: "0" };

/** Nothing of ours needs an install script, nor do its peers: all three run without. */
export const packageManagers: readonly PackageManager[] = [
  {
    name: "npm",
    command: "npm",
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund"],
    configure: writeNpmrc,
  },
  {
    name: "pnpm",
    command: "pnpm",
    args: ["install", "--ignore-scripts", "--no-frozen-lockfile"],
    async configure(project, registry) {
      await writeNpmrc(project, registry);
      // What was published a moment ago is otherwise too new.
      const settings = { minimumReleaseAgeExclude: ["@nidus/*"], strictPeerDependencies: true };
      await writeFile(join(project, "pnpm-workspace.yaml"), JSON.stringify(settings));
    },
  },
  {
    name: "yarn",
    command: process.execPath,
    args: [
      require.resolve("@yarnpkg/cli-dist/bin/yarn.js"),
      "install",
      "--no-immutable",
      "--mode=skip-build",
    ],
    async configure(project, { url }) {
      const certificates = await npmSetting("cafile", project);
      const settings = {
        nodeLinker: "node-modules",
        enableTelemetry: false,
        // Of this rehearsal: what an earlier one left in the user's folder would answer for the same versions.
        enableGlobalCache: true,
        globalFolder: "../yarn",
        npmScopes: { nidus: { npmRegistryServer: url, ...noAgeGate } },
        npmRegistryServer: await npmSetting("registry", project),
        ...noAgeGate,
        unsafeHttpWhitelist: ["127.0.0.1"],
        ...(certificates !== undefined && { httpsCaFilePath: certificates }),
      };
      await writeFile(join(project, ".yarnrc.yml"), JSON.stringify(settings));
      await resolveEverywhere(join(project, "package.json"));
      // Says that the project is a root.
      await writeFile(join(project, "yarn.lock"), "");
    },
  },
];

/**
 * Yarn resolves optional packages of all platforms, and fails where a registry lacks one. The newest `msgpackr-extract` (a native part of
 * BullMQ's, which is not needed) was published with gaps, so the newest without is taken.
 */
async function resolveEverywhere(file: string): Promise<void> {
  const manifest = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...manifest, resolutions: { "msgpackr-extract": "3.0.4" } }));
}
