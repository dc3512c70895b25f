import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareEmbeddedFolder } from "test-servers";
import { describe, expect, it } from "vitest";
import type { EngineTask, StandByTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const racers = 10;
const races = 5;

function standByIn(folder: string): StandByTask {
  return {
    role: "stand-by",
    engine: { kind: "pglite", place: folder, space: "locked", leaseMs: 1_000 },
  };
}

/** Rewrites locks as if the system had reused the id of a dead process. Resolves to the number of locks. */
async function reusePid(folder: string, deadPid: number, pid: number): Promise<number> {
  const locks = (await readdir(folder)).filter((name) => name.includes("lock"));
  for (const name of locks) {
    const path = join(folder, name);
    await writeFile(path, (await readFile(path, "utf8")).replaceAll(String(deadPid), String(pid)));
    await rename(path, join(folder, name.replaceAll(String(deadPid), String(pid))));
  }
  return locks.length;
}

describe("the folder of an embedded database", () => {
  it.concurrent("belongs to one living process, and to the next after its death", async ({
    onTestFinished,
  }) => {
    const folder = join(await temporaryFolder(onTestFinished), "jobs");
    await prepareEmbeddedFolder(folder);
    const first = new Child(standByIn(folder), onTestFinished);
    await first.says("ready");

    const second = new Child(standByIn(folder), onTestFinished);
    const { message } = await second.says("refused");
    expect(message).toContain(folder);
    expect(message).toContain(`in use by process ${first.pid}`);
    await second.ended;
    second.requireSound();
    await first.answer("enqueue", "enqueued");

    await first.kill();
    const third = new Child(standByIn(folder), onTestFinished);
    await third.says("ready");
    await third.kill();

    expect(await reusePid(folder, third.pid, process.pid)).toBeGreaterThan(0);
    const fourth = new Child(standByIn(folder), onTestFinished);
    await fourth.says("ready");
    await fourth.stop();
  });

  it.concurrent(`goes to exactly one of ${racers} processes that find a dead lock at the same moment`, async ({
    onTestFinished,
  }) => {
    const folder = join(await temporaryFolder(onTestFinished), "jobs");
    await prepareEmbeddedFolder(folder);
    const { engine } = standByIn(folder);
    const start = async (): Promise<Child> => {
      const child = new Child({ role: "race", engine: engine as EngineTask }, onTestFinished);
      await child.says("ready");
      return child;
    };
    const field = await Promise.all(Array.from({ length: racers }, start));
    // The first race is for a folder without a lock, the others for a lock whose holder has died.
    for (let number = 0; number <= races; number++) {
      const results = await Promise.all(
        field.map(async (child) => {
          const since = child.reports.length;
          child.ask("open");
          return Promise.any([child.says("opened", since), child.says("refused", since)]);
        }),
      );
      const won = results.flatMap(({ type }, index) => (type === "opened" ? [index] : []));
      expect(won).toHaveLength(1);
      for (const result of results) {
        if (result.type === "refused") expect(result.message).toContain("is in use by");
      }
      const [winner = 0] = won;
      await field[winner]?.kill();
      field[winner] = await start();
    }
    await Promise.all(field.map((child) => child.stop()));
  });
});
