import { chmod, mkdir, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { openFolder, repositoryKey } from "../src/folder.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const openFor = async (repository: string) => openFolder(await repositoryKey(repository), undefined);

test("it follows from the repository, and only its owner can read it", async () => {
  const [cache, one, two] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const folder = await openFor(one);
  expect(folder).toMatch(/\/users-api\/[0-9a-f]{16}$/);
  expect(folder.startsWith(`${cache}/`)).toBe(true);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await symlink(one, join(two, "link"));
  expect(await openFor(join(two, "link"))).toBe(folder);
  expect(await openFor(two)).not.toBe(folder);
});

test("without a folder for caches, it is in ~/.cache", async () => {
  const home = await temporaryFolder();
  vi.stubEnv("XDG_CACHE_HOME", "");
  vi.stubEnv("HOME", home);
  expect(homedir()).toBe(home);
  expect(await openFor(home)).toContain(join(home, ".cache", "users-api"));
});

test("if it cannot be made, the message says so, and what to do", async () => {
  const cache = join(await temporaryFolder(), "file");
  await writeFile(cache, "");
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const refused = openFor(await temporaryFolder());
  await expect(refused).rejects.toThrow(/^cannot write to .*\(ENOTDIR\): see --out$/);
});

/** The refusal of a folder that a user named: one line. */
async function refusalOf(folder: string): Promise<string> {
  const error: unknown = await openFolder(folder, folder).catch((reason: unknown) => reason);
  if (!(error instanceof Error)) throw new Error("it was not refused with an Error", { cause: error });
  expect(error.message).not.toMatch(/[\r\n]/);
  return error.message;
}

test("a missing folder is made, with its parents", async () => {
  const folder = join(await temporaryFolder(), "a", "b", "c");
  expect(await openFolder(folder, folder)).toBe(folder);
  expect((await stat(folder)).isDirectory()).toBe(true);
});

test("a file in place of the folder or a parent is refused in one line that names the folder", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  expect(await refusalOf(file)).toBe(`cannot write to ${file} (EEXIST): see --out`);
  expect(await refusalOf(join(file, "below"))).toBe(
    `cannot write to ${join(file, "below")} (ENOTDIR): see --out`,
  );
});

// Root can write everywhere.
test.skipIf(process.getuid?.() === 0)("a folder without permission to write is refused", async () => {
  const folder = join(await temporaryFolder(), "closed");
  await mkdir(folder);
  await chmod(folder, 0o500);
  expect(await refusalOf(folder)).toBe(`cannot write to ${folder} (EACCES): see --out`);
});
