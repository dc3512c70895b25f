import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { format } from "node:util";
import { examplesOf, run } from "checks";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

const examples = examplesOf();
const generated = fileURLToPath(new URL("./.generated", import.meta.url));
let folder: string;

beforeAll(() => {
  mkdirSync(generated, { recursive: true });
  folder = mkdtempSync(join(generated, "examples-"));
  examples.forEach(({ code }, index) => {
    writeFileSync(join(folder, `example-${index}.ts`), `${code}\nexport {};\n`);
  });
  const config = {
    extends: "../../../../../tsconfig.base.json",
    // The decorators of NestJS.
    compilerOptions: { experimentalDecorators: true },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("the code of the documents", () => {
  it("exists", () => {
    expect(examples.length).toBeGreaterThan(8);
  });

  it("compiles as it is printed", async () => {
    const { output } = await run("tsc", ["-p", folder, "--pretty", "false"]);
    expect(output).toBe("");
  });

  // Examples with tests of `node:test` report to a process of their own. The rehearsal of a release runs them from the tarballs.
  it.each(examples.map((example, index) => ({ ...example, index })).filter(({ hasTests }) => !hasTests))(
    "runs: $where",
    async ({ index, prints }) => {
      const printed: string[] = [];
      const log = vi
        .spyOn(console, "log")
        .mockImplementation((...args) => void printed.push(format(...args)));
      try {
        await import(pathToFileURL(join(folder, `example-${index}.ts`)).href);
      } finally {
        log.mockRestore();
      }
      expect(printed).toEqual(expect.arrayContaining([...prints]));
    },
  );
});
