import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { beginRun, finishRun } from "../src/run-file.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

test("the next process finds a run of the same jobs, until it is finished", async () => {
  const folder = await temporaryFolder();
  const run = await beginRun(folder, ["a", "b"]);
  expect(await beginRun(folder, ["a", "b"])).toEqual(run);
  expect((await stat(join(folder, "run.json"))).mode & 0o777).toBe(0o600);
  await finishRun(folder, run);
  expect(await readdir(folder)).toEqual([]);
  expect((await beginRun(folder, ["a", "b"])).runId).not.toBe(run.runId);
});

test("a run of other jobs replaces it, and the one before can no longer be finished", async () => {
  const folder = await temporaryFolder();
  const first = await beginRun(folder, ["a", "b"]);
  const second = await beginRun(folder, ["b", "a"]);
  expect(second.runId).not.toBe(first.runId);
  await finishRun(folder, first);
  expect(await beginRun(folder, ["b", "a"])).toEqual(second);
});

test.each(["", "{", "null", "[]", '{"runId":1,"hash":"x"}'])(
  "a file that holds %j counts as none, and is replaced",
  async (text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "run.json"), text);
    const run = await beginRun(folder, []);
    expect(await beginRun(folder, [])).toEqual(run);
  },
);
