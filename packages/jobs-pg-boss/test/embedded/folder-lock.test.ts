import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FolderInUseError, lockFolder } from "../../src/embedded/folder-lock.ts";
import { processStart } from "../../src/embedded/process-start.ts";

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  return { ...original, readdir: vi.fn(original.readdir) };
});

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Makes the name of this process's lock file, with some properties replaced. */
async function lockName(change: (fields: string[]) => string[]): Promise<string> {
  const unlock = await lockFolder(folder);
  const own = (await readdir(folder)).find((name) => /^nidus\.lock\.\d+&/.test(name)) as string;
  await unlock();
  return `nidus.lock.${change(own.slice("nidus.lock.".length).split("&")).join("&")}`;
}

describe("lockFolder", () => {
  it("is held once, and can be taken again after it was unlocked", async () => {
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
    await expect(lockFolder(folder)).rejects.toThrow(/in use by this process/);
    await unlock();
    await (await lockFolder(folder))();
    expect(await readdir(folder)).toEqual([]);
  });

  it("ignores a stray file, and leaves it", async () => {
    const strays = ["%", "x", "1", "1&2", "1&2&%", "-1&2&h", "1&&h", "1.0&2&h", "%31&2&h", "1&2&h&more", ""];
    for (const stray of strays) await writeFile(join(folder, `nidus.lock.${stray}`), "");
    await mkdir(join(folder, "nidus.lock.1&2&folder"));
    const before = (await readdir(folder)).sort();
    for (let times = 0; times < 2; times++) await (await lockFolder(folder))();
    expect((await readdir(folder)).sort()).toEqual(before);
  });

  it("replaces the lock of a dead process, or of an earlier one with the same id", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    const dead = await lockName(([, start = "", host = ""]) => [String(child.pid), start, host]);
    const earlier = await lockName(([pid = "", start = "", host = ""]) => [pid, `${start}0`, host]);
    for (const name of [dead, earlier]) await writeFile(join(folder, name), "");
    await (await lockFolder(folder))();
    expect(await readdir(folder)).toEqual([]);
  });

  it("never takes the lock of a living process", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await once(child, "spawn");
    const start = (await processStart(child.pid as number)) as string;
    const name = await lockName(([, , host = ""]) => [String(child.pid), encodeURIComponent(start), host]);
    await writeFile(join(folder, name), "");
    await utimes(join(folder, name), 0, 0);
    await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${child.pid} `);
    expect(await readdir(folder)).toEqual([name]);
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await lockFolder(folder))();
  });

  it.skipIf(process.platform !== "linux")(
    "does not look for a process of another container among its own, whatever its host name",
    async () => {
      const name = await lockName(([, , host = ""]) => ["999999999", "1", host.replace(/\d+%5D$/, "1%5D")]);
      await writeFile(join(folder, name), "");
      await expect(lockFolder(folder), "it was touched a moment ago").rejects.toThrow(FolderInUseError);
      await utimes(join(folder, name), 0, 0);
      await (await lockFolder(folder))();
    },
  );

  it("removes its own lock if another one could not be checked", async () => {
    vi.mocked(readdir).mockRejectedValueOnce(new Error("input/output error"));
    await expect(lockFolder(folder)).rejects.toThrow("input/output error");
    expect(await readdir(folder)).toEqual([]);
    await (await lockFolder(folder))();
  });
});
