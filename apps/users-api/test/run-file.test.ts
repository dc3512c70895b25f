import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { payloadOf } from "../src/digest-payload.ts";
import { hashOf, RunFile } from "../src/run-file.ts";
import { digestOf } from "./support/digests.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

test("a run that was begun is found by the next process, until it is finished", async () => {
  const folder = await temporaryFolder();
  expect(await new RunFile(folder).read()).toBeUndefined();
  const run = await new RunFile(folder).begin("hash", undefined);
  expect(await new RunFile(folder).read()).toEqual(run);
  expect((await stat(join(folder, "run.json"))).mode & 0o777).toBe(0o600);
  await new RunFile(folder).finish(run);
  expect(await readdir(folder)).toEqual([]);
});

test("of processes that begin at the same time with the same digests, all have the same run", async () => {
  const folder = await temporaryFolder();
  const runs = await Promise.all(
    Array.from({ length: 10 }, () => new RunFile(folder).begin("hash", undefined)),
  );
  expect(new Set(runs.map(({ runId }) => runId)).size).toBe(1);
  expect(await readdir(folder)).toEqual(["run.json"]);
});

test("another run replaces the one before, which can no longer be finished", async () => {
  const runFile = new RunFile(await temporaryFolder());
  const first = await runFile.begin("hash", undefined);
  const second = await runFile.begin("another", first);
  expect(second.runId).not.toBe(first.runId);
  await runFile.finish(first);
  expect(await runFile.read()).toEqual(second);
});

test.each(["", "{", "null", "[]", '{"runId":1,"digestsHash":"x"}'])(
  "a file that holds %j counts as none, and is replaced",
  async (text) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "run.json"), text);
    const runFile = new RunFile(folder);
    expect(await runFile.read()).toBeUndefined();
    expect(await runFile.read()).toBeUndefined();
    const run = await runFile.begin("hash", undefined);
    expect(await runFile.read()).toEqual(run);
  },
);

test("the hash follows from the digests and their order alone", () => {
  const [a, b] = [payloadOf(digestOf()), payloadOf(digestOf({ week: "2024-W02" }))];
  expect(hashOf([a, b])).toBe(hashOf([{ ...a }, b]));
  expect(new Set([[], [a], [b], [a, b], [b, a]].map(hashOf)).size).toBe(5);
});
