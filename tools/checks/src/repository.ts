import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout, from this file in `src` and in `dist`. */
export const root: string = fileURLToPath(new URL("../../..", import.meta.url));

/** The fields of a package.json that the checks read. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  /** The entry points, each with its declarations. */
  readonly exports: Readonly<Record<string, { readonly types: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** A published package. */
export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** Lists the published packages of a checkout, by folder name. */
export function publishedPackages(checkout: string = root): Package[] {
  return readdirSync(join(checkout, "packages"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      const folder = join(checkout, "packages", name);
      return { folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest };
    })
    .filter(({ manifest }) => manifest.private !== true);
}

/** Lists every TypeScript file below a folder. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(folder, path));
}

/** Lists the imports of a TypeScript file, types included. */
export function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const imports = /^(?:import|export)\b[^;]*?from "([^"]+)";|^import "([^"]+)";|\bimport\("([^"]+)"\)/gm;
  return [...text.matchAll(imports)].map(
    (match) => match.slice(1).find((group) => group !== undefined) as string,
  );
}

/** Finds the package of an import specifier. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
