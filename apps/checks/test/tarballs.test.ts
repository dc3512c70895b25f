import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { run } from "../src/command.ts";
import { publishedPackages } from "../src/repository.ts";
import { pack } from "../src/tarballs.ts";
import { blocksOf, scriptOf } from "./support/blocks.ts";
import { documents, examplesOf } from "./support/examples.ts";
import { hasProgram } from "./support/optional-program.ts";

/** What users install beside our packages: the peers that the READMEs name. */
const peers = [
  "prom-client@15",
  "@opentelemetry/api@1.9",
  "@opentelemetry/sdk-trace-base@2",
  "@opentelemetry/resources@2",
  "@opentelemetry/context-async-hooks@2",
  "@opentelemetry/exporter-trace-otlp-proto@0.223",
  "bullmq@5",
  "pg-boss@10",
  "@electric-sql/pglite@0.5",
  // What the examples bring along.
  "zod@4",
  "@types/pg@8",
  "@types/node@20",
];

const examples = documents().flatMap(examplesOf);
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
  await writeFile(
    join(project, "package.json"),
    JSON.stringify({ name: "a-project", type: "module", private: true }),
  );
  const built = await run("pnpm", ["run", "build"]);
  expect(built.output).toContain("successful");
  await Promise.all(
    publishedPackages().map(async (each) => tarballs.set(each.manifest.name, await pack(each, project))),
  );
  const files = [...tarballs.values()];
  const installed = await run("npm", ["install", "--no-audit", "--no-fund", ...files, ...peers], project);
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
    await Promise.all(
      examples.map(({ code }, index) =>
        writeFile(join(project, `example-${index}.ts`), `${code}\nexport {};\n`),
      ),
    );
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023", "esnext.disposable"],
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: ["node"],
    };
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions, include: ["example-*.ts"] }),
    );
    const compiled = await run("tsc", ["-p", project, "--pretty", "false"]);
    expect(compiled.output).toBe("");
    for (const [index, { where, prints }] of examples.entries()) {
      const { isOk, output } = await run(process.execPath, [`example-${index}.js`], project);
      expect(isOk, `${where}: ${output}`).toBe(true);
      for (const line of prints) expect(output.split("\n"), where).toContain(line);
    }
  }, 120_000);

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
    120_000,
  );
});
