import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readHistory } from "../src/git-history.ts";
import { createRepository, gitEnvironment } from "./support/git-repository.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

beforeEach(() => {
  for (const [name, value] of Object.entries(gitEnvironment)) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function refusalOf(folder: string): Promise<string> {
  const error: unknown = await readHistory(folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("it was not refused with an Error", { cause: error });
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.message).not.toMatch(/[\r\n]/);
  return error.message;
}

test("a folder outside of any repository is refused in one line that names it", async () => {
  const folder = await temporaryFolder();
  vi.stubEnv("GIT_CEILING_DIRECTORIES", join(folder, ".."));
  expect(await refusalOf(folder)).toBe(`${folder} is not a git repository`);
});

test("the same holds in any language", async () => {
  const folder = await temporaryFolder();
  vi.stubEnv("GIT_CEILING_DIRECTORIES", join(folder, ".."));
  vi.stubEnv("LANGUAGE", "de");
  vi.stubEnv("LC_ALL", "de_DE.UTF-8");
  expect(await refusalOf(folder)).toBe(`${folder} is not a git repository`);
});

test("a missing folder is refused in one line that names it", async () => {
  const folder = join(await temporaryFolder(), "missing");
  expect(await refusalOf(folder)).toMatch(
    new RegExp(`^git could not read ${folder}: .*No such file or directory`),
  );
});

test("a file in place of a folder is refused in one line that names it", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  expect(await refusalOf(file)).toMatch(new RegExp(`^git could not read ${file}: .*Not a directory`));
});

test("a repository whose HEAD is broken is refused in one line that names it", async () => {
  const folder = await createRepository([{}]);
  await writeFile(join(folder, ".git", "refs", "heads", "main"), `${"0123456789".repeat(4)}\n`);
  expect(await refusalOf(folder)).toContain(folder);
});

test("without git on the PATH, one line says so, for any folder", async () => {
  const folder = await createRepository([{}]);
  vi.stubEnv("PATH", await temporaryFolder());
  expect(await refusalOf(folder)).toBe("git was not found: install it, or add it to the PATH");
});
