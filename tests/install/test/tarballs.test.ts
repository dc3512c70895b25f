import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack, pageBlocksOf, publishedPackages, run, scriptOf } from "checks";
import { freePort, hasProgram } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

const tarballs = new Map<string, string>();
let packed: string;

/** Lists the tarballs of packages and of their dependencies among ours. */
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
  packed = await mkdtemp(join(tmpdir(), "nidus-install-"));
  await Promise.all(
    publishedPackages().map(async (each) => tarballs.set(each.manifest.name, await pack(each, packed))),
  );
});

afterAll(() => rm(packed, { recursive: true }));

describe("the packed packages", () => {
  it("have a README, a licence, declarations and sources, and no tests", async () => {
    for (const { manifest } of publishedPackages()) {
      const folder = await mkdtemp(join(packed, "unpacked-"));
      const tarball = tarballs.get(manifest.name) as string;
      expect(await run("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"])).toMatchObject({
        isOk: true,
      });
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

  it.skipIf(!hasProgram("curl", "the first page is not followed"))(
    "work as the first page says, followed to the letter in an empty folder",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "nidus-first-page-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      const page = pageBlocksOf("five-minute-start.md");
      const script = scriptOf(page)
        // The packages of this checkout, and a free port.
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

  it("compile in a strict project that has no types but those of the peers", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nidus-types-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const packages = publishedPackages().map(({ manifest }) => manifest.name);
    const peers = ["prom-client@15", "@opentelemetry/api@1.9", "pino@10", "bullmq@5", "pg-boss@10"];
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
    const install = [
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      ...tarballsFor(packages),
      ...peers,
      "@types/node@20",
    ];
    const installed = await run("npm", install, folder);
    expect(installed.isOk, installed.output).toBe(true);
    const lines = packages.map((name, index) => `export * as package${index} from "${name}";\n`);
    await writeFile(join(folder, "all.ts"), lines.join(""));
    const options = ["--module", "nodenext", "--lib", "es2023,esnext.disposable", "--types", "node"];
    const compiled = await run("tsc", ["--strict", "--noEmit", ...options, "all.ts"], folder);
    expect(compiled.isOk, compiled.output).toBe(true);
  });
});
