import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { run } from "../../src/command.ts";

/** Creates a git repository that tracks these files, by path. The end of the test removes it. */
export async function repositoryOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nidus-checks-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  expect(await run("git", ["init", "--quiet"], folder)).toMatchObject({ isOk: true });
  expect(await run("git", ["add", "."], folder)).toMatchObject({ isOk: true });
  return folder;
}
