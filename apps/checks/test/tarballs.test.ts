import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../src/command.ts";
import { runExamples, writeExampleProject } from "../src/example-project.ts";
import { examplesOf } from "../src/examples.ts";
import { publishedPackages } from "../src/repository.ts";
import { pack } from "../src/tarballs.ts";

const examples = examplesOf();
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "nidus-install-"));
  const built = await run("pnpm", ["run", "build"]);
  expect(built.output).toContain("successful");
  const tarballs = await Promise.all(
    publishedPackages().map(
      async (each) => [each.manifest.name, `file:${await pack(each, project)}`] as const,
    ),
  );
  await writeExampleProject(project, Object.fromEntries(tarballs), examples);
  const installed = await run("npm", ["install", "--no-audit", "--no-fund"], project);
  expect(installed, installed.output).toMatchObject({ isOk: true });
}, 180_000);

afterAll(() => rm(project, { recursive: true }));

describe("the packed packages, in a project of their own", () => {
  it("have a README, a licence, declarations and sources, and no tests", async () => {
    for (const { manifest } of publishedPackages()) {
      const folder = join(project, "node_modules", manifest.name);
      for (const file of ["README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) {
        expect((await readFile(join(folder, file), "utf8")).length).toBeGreaterThan(0);
      }
      await expect(readFile(join(folder, "test"))).rejects.toThrow("ENOENT");
      const { dependencies = {} } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
        dependencies?: Record<string, string>;
      };
      expect(Object.values(dependencies).filter((range) => range.startsWith("workspace:"))).toEqual([]);
    }
  });

  it("compile and run the examples of the READMEs", async () => {
    expect(await runExamples(project, examples)).toEqual([]);
  }, 120_000);
});
