import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { run } from "../src/command.ts";
import { runExamples, writeExampleProject } from "../src/example-project.ts";
import { examplesOf } from "../src/examples.ts";
import { publishedPackages } from "../src/repository.ts";
import { pack } from "../src/tarballs.ts";
import { blocksOf, scriptOf } from "./support/blocks.ts";
import { hasProgram } from "./support/optional-program.ts";

const examples = examplesOf();
const tarballs = new Map<string, string>();
let project: string;

/** The tarballs of packages and of all that they depend on. */
function tarballsFor(names: readonly string[]): string[] {
  const needed = new Set(names);
  for (const name of needed) {
    const { dependencies = {} } =
      publishedPackages().find(({ manifest }) => manifest.name === name)?.manifest ?? {};
    for (const dependency of Object.keys(dependencies)) {
      if (tarballs.has(dependency)) needed.add(dependency);
    }
  }
  return [...needed].map((name) => tarballs.get(name) as string);
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "nidus-install-"));
  const built = await run("pnpm", ["run", "build"]);
  expect(built.output).toContain("successful");
  await Promise.all(
    publishedPackages().map(async (each) => tarballs.set(each.manifest.name, await pack(each, project))),
  );
  const versions = [...tarballs].map(([name, file]) => [name, `file:${file}`] as const);
  await writeExampleProject(project, Object.fromEntries(versions), examples);
  const installed = await run("npm", ["install", "--no-audit", "--no-fund"], project);
  expect(installed, installed.output).toMatchObject({ isOk: true });
});

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
  });

  it.skipIf(!hasProgram("curl"))(
    "are what the first page leads to, followed to the letter in an empty folder",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "nidus-first-page-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      const page = blocksOf("five-minute-start.md");
      const script = scriptOf(page)
        // The packages as they are here, and a port that nobody has.
        .replace(/(?: @nidus\/[\w-]+)+/, (names) => ` ${tarballsFor(names.trim().split(" ")).join(" ")}`)
        .replaceAll("9464", String(await freePort()));
      const ended = await run(
        "bash",
        ["-ec", `trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n${script}`],
        folder,
      );
      expect(ended.isOk, ended.output).toBe(true);
      const printed = page.filter(({ language }) => language === "text").map(({ code }) => code);
      expect(printed).toHaveLength(3);
      let rest = ended.output;
      for (const text of printed) {
        expect(rest).toContain(text);
        rest = rest.slice(rest.indexOf(text) + text.length);
      }
    },
  );
});
