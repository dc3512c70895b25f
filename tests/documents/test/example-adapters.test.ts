import { existsSync, readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { examplesIn, pack, publishedPackages, root, run, runExample } from "checks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const toCopy = join(root, "examples");
/** Packages with tests of their own. */
const names = readdirSync(toCopy).filter((name) => existsSync(join(toCopy, name, "test")));
/** Lets the processes of `node --test` compile embedded databases fast. No option of Node does that in NODE_OPTIONS. */
const compileFast = 'import{setFlagsFromString}from"node:v8";setFlagsFromString("--liftoff-only")';
const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(compileFast)}` };
let folder: string;
/** The tarballs of our packages, by name. */
const tarballs = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-examples-"));
  for (const each of publishedPackages()) tarballs.set(each.manifest.name, await pack(each, folder));
});

afterAll(() => rm(folder, { recursive: true }));

/** Copies the files of an example, and nothing that this repository built from them. */
async function copyOf(name: string): Promise<string> {
  const copy = join(folder, name);
  const made = new Set(["node_modules", "dist", ".turbo"]);
  await cp(join(toCopy, name), copy, { recursive: true, filter: (path) => !made.has(basename(path)) });
  return copy;
}

/** Replaces our packages and their dependencies among ours by tarballs, because none is published yet. */
async function fromTarballs(copy: string): Promise<void> {
  const file = join(copy, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as Record<string, Record<string, string>>;
  for (const kind of ["dependencies", "peerDependencies", "devDependencies"]) {
    for (const name of Object.keys(manifest[kind] ?? {})) {
      const tarball = tarballs.get(name);
      if (tarball !== undefined) (manifest[kind] as Record<string, string>)[name] = `file:${tarball}`;
    }
  }
  const overrides = Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]));
  await writeFile(file, JSON.stringify({ ...manifest, overrides }));
}

describe("an example that is copied out of the repository", () => {
  it.each(names)(
    "installs with npm, builds, passes its tests and is used as its README says: %s",
    async (name) => {
      const copy = await copyOf(name);
      await fromTarballs(copy);
      const examples = examplesIn(`examples/${name}/README.md`);
      expect(examples.length).toBeGreaterThan(0);
      for (const [index, { code }] of examples.entries())
        await writeFile(join(copy, "test", `example-${index}.ts`), `${code}\nexport {};\n`);
      // A test that was built once and has no source any more does not run.
      await mkdir(join(copy, "dist", "test"), { recursive: true });
      await writeFile(join(copy, "dist", "test", "stale.test.js"), 'throw new Error("stale");\n');
      const installed = await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund"], copy);
      expect(installed, installed.output).toMatchObject({ isOk: true });
      const tested = await run("npm", ["test"], copy, { env });
      expect(tested, tested.output).toMatchObject({ isOk: true });
      expect(tested.output).toMatch(/^. pass \d{2,}$/m);
      expect(tested.output).toMatch(/^. fail 0$/m);
      for (const [index, example] of examples.entries())
        expect(await runExample(`dist/test/example-${index}.js`, copy, example)).toEqual([]);
    },
  );

  it("names ordinary ranges, and extends nothing of the repository", async () => {
    for (const name of names) {
      const manifest = await readFile(join(toCopy, name, "package.json"), "utf8");
      expect(manifest).not.toMatch(/workspace:|catalog:/);
      expect(await readFile(join(toCopy, name, "tsconfig.json"), "utf8")).not.toContain("extends");
    }
  });
});
