import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkFloors } from "../src/floors.ts";
import { checkImportCycles } from "../src/import-cycles.ts";

/** Creates a folder with the `src` of a package. The end of the test removes it. */
function packageWith(files: Readonly<Record<string, string>>): string {
  const packages = mkdtempSync(join(tmpdir(), "nidus-packages-"));
  onTestFinished(() => rmSync(packages, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    const file = join(packages, "some", "src", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return packages;
}

describe("the imports of the packages", () => {
  it("have no cycles", () => {
    expect(checkImportCycles()).toEqual([]);
  });

  it("are followed through types, exports and folders, and a cycle is reported with its files", () => {
    const packages = packageWith({
      "index.ts": 'export { a } from "./in/a.ts";\nexport type { C } from "./c.ts";\n',
      "in/a.ts": 'import { b } from "./b.ts";\nexport const a = b;\n',
      "in/b.ts": 'import type {\n  C,\n} from "../c.ts";\nexport const b: C = 1;\n',
      "c.ts": 'export type { A } from "./in/a.ts";\nexport type C = number;\n',
      "d.ts": 'import { b } from "./in/b.ts";\nexport const d = b;\n',
    });
    const [cycle, ...more] = checkImportCycles([join(packages, "some", "src")]);
    expect(more).toEqual([]);
    expect(cycle).toMatch(/^import cycle in some\/src: /);
    for (const file of ["src/in/a.ts", "src/in/b.ts", "src/c.ts"]) expect(cycle).toContain(file);
    expect(cycle).not.toContain("d.ts");
  });

  it("may not lead from a file to itself", () => {
    const packages = packageWith({ "a.ts": 'export { a } from "./a.ts";\n' });
    expect(checkImportCycles([join(packages, "some", "src")])).toEqual([
      "import cycle in some/src: src/a.ts → src/a.ts",
    ]);
  });
});

describe("the floors of the packages", () => {
  it("use only those below them", () => {
    expect(checkFloors()).toEqual([]);
  });

  it("find an import from above, an import of an entry point, and a folder that is no floor", () => {
    const packages = packageWith({
      "index.ts": 'export { up } from "./upper/up.ts";\n',
      "upper/up.ts": 'import { low } from "../lower/low.ts";\nexport const up = low;\n',
      "lower/low.ts": 'import type { Up } from "../upper/up.ts";\nexport const low = 1;\n',
      "lower/entry.ts": 'import { up } from "../index.ts";\nexport const entry = up;\n',
      "attic/box.ts": "export const box = 1;\n",
    });
    expect(checkFloors(packages, { some: ["lower", "upper"] }).toSorted()).toEqual([
      "some: attic is not among the floors",
      "some: lower/entry.ts uses an entry point, which is above it",
      "some: lower/low.ts uses upper, which is above it",
    ]);
  });
});
