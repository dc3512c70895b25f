import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { publishedPackages, sourceFiles } from "./repository.ts";

const declaration = /export const version = "([^"]*)";/;

interface StatedVersion {
  readonly file: string;
  readonly text: string;
  readonly stated: string;
  readonly actual: string;
}

/** Finds files named version.ts, which state the version of their package. */
function statedVersions(): StatedVersion[] {
  return publishedPackages().flatMap(({ folder, manifest }) =>
    sourceFiles(join(folder, "src"))
      .filter((file) => basename(file) === "version.ts")
      .map((file) => {
        const text = readFileSync(file, "utf8");
        return { file, text, stated: declaration.exec(text)?.[1] ?? "", actual: manifest.version };
      }),
  );
}

/** Finds packages that state another version than their package.json. */
export function checkVersions(): string[] {
  return statedVersions()
    .filter(({ stated, actual }) => stated !== actual)
    .map(({ file, stated, actual }) => `${file} says ${stated}, its package.json ${actual}`);
}

/** Updates the stated versions to those of the package.json files. */
export function writeVersions(): void {
  for (const { file, text, actual } of statedVersions()) {
    writeFileSync(file, text.replace(declaration, `export const version = "${actual}";`));
  }
}
