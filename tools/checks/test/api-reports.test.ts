import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkApiReports, writeApiReports } from "../src/api-reports.ts";
import { type Package, root } from "../src/repository.ts";

const generated = fileURLToPath(new URL("./.generated", import.meta.url));
let built: Package;

/** Creates a package with two entry points, as the build leaves it. */
beforeEach(() => {
  mkdirSync(generated, { recursive: true });
  const folder = mkdtempSync(join(generated, "api-"));
  const manifest = {
    name: "a-package",
    version: "1.0.0",
    exports: { ".": { types: "index.d.ts" }, "./extra": { types: "extra.d.ts" } },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "tsconfig.json"), "{}");
  built = { folder, manifest };
  declare("index.d.ts", "export declare function twice(value: number): number;");
  declare("extra.d.ts", "export declare const size: number;");
});

afterEach(() => rmSync(built.folder, { recursive: true }));

function declare(file: string, text: string): void {
  writeFileSync(join(built.folder, file), `${text}\n`);
}

const reportOf = (entry: string): string =>
  join(built.folder, "api", `${built.folder.split("/").at(-1)}${entry}.api.md`);

const isStale = (entry: string): string =>
  `${relative(root, reportOf(entry))} is stale: \`pnpm api\` mends it`;

// A compiler analyses the package for each report.
describe("the API reports", () => {
  it("exist for each entry point, contain no path of the machine, and are the same each time", () => {
    writeApiReports([built]);
    const text = readFileSync(reportOf(""), "utf8");
    expect(text).toContain("export function twice(value: number): number;");
    expect(readFileSync(reportOf("-extra"), "utf8")).toContain("export const size: number;");
    expect(text).not.toContain(root);
    expect(checkApiReports([built])).toEqual([]);
    writeApiReports([built]);
    expect(readFileSync(reportOf(""), "utf8")).toBe(text);
  });

  it("are stale if they are missing or if an export has changed", () => {
    expect(checkApiReports([built])).toEqual([isStale(""), isStale("-extra")]);
    writeApiReports([built]);
    declare("extra.d.ts", "export declare const size: string;");
    expect(checkApiReports([built])).toEqual([isStale("-extra")]);
  });

  it("are stale, and removed, if their entry point is gone", () => {
    writeApiReports([built]);
    const single = {
      ...built,
      manifest: { ...built.manifest, exports: { ".": { types: "index.d.ts" } } },
    };
    expect(checkApiReports([single])).toEqual([isStale("-extra")]);
    writeApiReports([single]);
    expect(checkApiReports([single])).toEqual([]);
  });

  it("fail for a package that is not built", () => {
    rmSync(join(built.folder, "extra.d.ts"));
    expect(() => checkApiReports([built])).toThrow("extra.d.ts");
  });
});
