import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack, pageBlocksOf, publishedPackages, run } from "checks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const code = pageBlocksOf("where-you-run-it.md").find(({ file }) => file === "jobs.test.js")?.code ?? "";
const needed = ["jobs-core", "jobs-observe", "jobs-durable", "jobs-testkit"].map((name) => `@nidus/${name}`);
let project: string;

/** Runs Jest on the test of the page in a folder of the project. */
async function jest(
  folder: string,
  files: Readonly<Record<string, string>>,
  options: string,
): ReturnType<typeof run> {
  const path = join(project, folder);
  await mkdir(path);
  for (const [file, text] of Object.entries({ ...files, "jobs.test.js": code }))
    await writeFile(join(path, file), text);
  return run(process.execPath, [join(project, "node_modules/jest/bin/jest.js")], path, {
    env: { NODE_OPTIONS: options },
  });
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "nidus-jest-"));
  const packages = publishedPackages().filter(({ manifest }) => needed.includes(manifest.name));
  const tarballs = await Promise.all(packages.map((each) => pack(each, project)));
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "a-service", private: true }));
  const babel = "@babel/plugin-transform-modules-commonjs@7";
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs, "jest@30", babel];
  const installed = await run("npm", args, project);
  expect(installed, installed.output).toMatchObject({ isOk: true });
});

afterAll(() => rm(project, { recursive: true }));

describe("the recipe for Jest", () => {
  it("passes as an ES module", async () => {
    const manifest = { type: "module", jest: { transform: {} } };
    const files = { "package.json": JSON.stringify(manifest) };
    const { isOk, output } = await jest("modules", files, "--experimental-vm-modules");
    expect(isOk, output).toBe(true);
    expect(output).toContain("1 passed");
  });

  it("passes as CommonJS, with our packages transformed by Babel", async () => {
    const manifest = { jest: { transformIgnorePatterns: ["/node_modules/(?!(\\.pnpm/)?@nidus)"] } };
    const files = {
      "package.json": JSON.stringify(manifest),
      "babel.config.cjs": 'module.exports = { plugins: ["@babel/plugin-transform-modules-commonjs"] };\n',
    };
    const { isOk, output } = await jest("commonjs", files, "");
    expect(isOk, output).toBe(true);
    expect(output).toContain("1 passed");
  });
});
