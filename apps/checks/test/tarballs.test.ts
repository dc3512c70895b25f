import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../src/command.ts";
import { publishedPackages } from "../src/repository.ts";
import { pack } from "../src/tarballs.ts";
import { documents, examplesOf } from "./support/examples.ts";

/** What users install beside our packages: the peers that the READMEs name. */
const peers = [
  "prom-client@15",
  "@opentelemetry/api@1.9",
  "@opentelemetry/sdk-trace-base@2",
  "@opentelemetry/resources@2",
  "@opentelemetry/context-async-hooks@2",
  "@opentelemetry/exporter-trace-otlp-proto@0.223",
  "pino@10",
  "bullmq@5",
  "pg-boss@10",
  "@electric-sql/pglite@0.5",
  // What the examples bring along.
  "zod@4",
  "@types/pg@8",
  "@types/node@20",
];

const examples = documents().flatMap(examplesOf);
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "nidus-install-"));
  await writeFile(
    join(project, "package.json"),
    JSON.stringify({ name: "a-project", type: "module", private: true }),
  );
  const built = await run("pnpm", ["run", "build"]);
  expect(built.output).toContain("successful");
  const tarballs = await Promise.all(publishedPackages().map((each) => pack(each, project)));
  const installed = await run("npm", ["install", "--no-audit", "--no-fund", ...tarballs, ...peers], project);
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
});
