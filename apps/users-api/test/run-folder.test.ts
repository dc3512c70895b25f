import { stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { defaultFolder } from "../src/run-folder.ts";
import { UserError } from "../src/user-error.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("it follows from the repository, and only its owner can read it", async () => {
  const [cache, one, two] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const folder = await defaultFolder(one);
  expect(folder).toMatch(/\/users-api\/[0-9a-f]{16}$/);
  expect(folder.startsWith(`${cache}/`)).toBe(true);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  await symlink(one, join(two, "link"));
  expect(await defaultFolder(join(two, "link"))).toBe(folder);
  expect(await defaultFolder(two)).not.toBe(folder);
});

test.each(["", "relative/folder"])("without a folder for caches (%j), it is in ~/.cache", async (cache) => {
  const home = await temporaryFolder();
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("HOME", home);
  expect(homedir()).toBe(home);
  expect(await defaultFolder(home)).toContain(join(home, ".cache", "users-api"));
});

test("if it cannot be made, the message says so, and what to do", async () => {
  const cache = join(await temporaryFolder(), "file");
  await writeFile(cache, "");
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const refused = defaultFolder(await temporaryFolder());
  await expect(refused).rejects.toBeInstanceOf(UserError);
  await expect(refused).rejects.toThrow(/^cannot write to .*\(ENOTDIR\): see --out$/);
});
