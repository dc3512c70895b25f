import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { npmSetting, type Registry } from "./registry.ts";

/** Installs a project. Our packages come from the given registry, all others from the registry in npm's configuration. */
export interface PackageManager {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Writes the settings of the package manager into the project. */
  configure(project: string, registry: Registry): Promise<void>;
}

const require = createRequire(import.meta.url);

async function writeNpmrc(project: string, { url }: Registry): Promise<void> {
  await writeFile(join(project, ".npmrc"), `@nidus:registry=${url}\n`);
}

/** Lets yarn take packages that were just published. A scope has a setting of its own. */
const noAgeGate = { npmMinimalAgeGate: "0" };

/** The package managers that a release tries. None runs install scripts: neither our packages nor their peers need one. */
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
      // Accepts packages that were just published.
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
        // A cache of this rehearsal alone: the user's cache may have the same versions from an earlier one.
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
      // Marks the project as a root.
      await writeFile(join(project, "yarn.lock"), "");
    },
  },
];

/**
 * Yarn resolves optional packages of all platforms, and fails if a registry lacks one. The newest `msgpackr-extract` (an optional native
 * part of BullMQ) was published with gaps. So this pins the newest version without gaps.
 */
async function resolveEverywhere(file: string): Promise<void> {
  const manifest = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...manifest, resolutions: { "msgpackr-extract": "3.0.4" } }));
}
