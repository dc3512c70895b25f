import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import keepFilesInMemory from "../src/files-of-run.ts";

/** No process has this id: it is above the largest that Linux gives. */
const idOfNone = 2 ** 30;

afterEach(() => vi.unstubAllEnvs());

describe("temporary files of a run", () => {
  it("are in memory or where the machine keeps others, and are removed", async () => {
    vi.stubEnv("TMPDIR", "");
    const before = tmpdir();
    const remove = await keepFilesInMemory();
    const folder = tmpdir();
    if (remove === undefined) {
      expect(folder).toBe(before);
      return;
    }
    expect(dirname(folder)).toBe("/dev/shm");
    await mkdir(join(folder, "deep"));
    await writeFile(join(folder, "deep", "file"), "text");
    await remove();
    expect(existsSync(folder)).toBe(false);
    expect(tmpdir()).toBe(before);
  });

  it("are where `TMPDIR` says", async () => {
    vi.stubEnv("TMPDIR", "/elsewhere");
    expect(await keepFilesInMemory()).toBeUndefined();
    expect(tmpdir()).toBe("/elsewhere");
  });

  it("go with the next run if theirs was killed", async ({ skip }) => {
    vi.stubEnv("TMPDIR", "");
    const trial = await keepFilesInMemory();
    if (trial === undefined) return skip("this machine has no room for them in memory");
    const [left, running] = [idOfNone, process.pid].map((pid) => `/dev/shm/nidus-tests-${pid}-test`);
    for (const folder of [left, running] as string[]) {
      await mkdir(folder);
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
    }
    await trial();
    const remove = await keepFilesInMemory();
    await remove?.();
    expect([left, running].map((folder) => existsSync(folder as string))).toEqual([false, true]);
  });
});
