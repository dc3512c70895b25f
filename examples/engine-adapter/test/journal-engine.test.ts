import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { testing } from "@nidus/jobs-testkit";
import { type JournalEngineOptions, journalEngine } from "../src/index.ts";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  file = join(folder, "jobs.jsonl");
});

afterEach(() => rmSync(folder, { recursive: true }));

const task = defineJob<string>({ name: "task", run() {} });

const open = (options: Partial<JournalEngineOptions> = {}): JobEngine =>
  journalEngine({ runner: testing("journal").jobRunner(), file, ...options });

/** Kills a process in the middle of a job. */
async function killedProcess(): Promise<void> {
  const program = fileURLToPath(new URL("./support/interrupted.js", import.meta.url));
  const child = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  assert.throws(open, new RegExp(`in use by process ${child.pid}`), "the file is locked while it lives");
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("finishes the jobs of a killed process, and counts the attempt that died with it", async () => {
  await killedProcess();
  const { recorder, ...observability } = testing("journal");
  await using engine = open({ runner: observability.jobRunner() });
  await engine.work({ jobs: [task] });
  while (recorder.outcomesOf("task").length < 2) await pause(10);
  const runs = recorder.runs.map(({ delivery }) => delivery?.attempt);
  assert.deepEqual(runs.toSorted(), [1, 2]);
  assert.equal((await engine.stats()).succeeded, 3);
});

test("ignores a line that was not written to its end", async () => {
  {
    await using engine = open();
    await engine.enqueue(task, "whole");
  }
  appendFileSync(file, '{"id":"half","name":"ta');
  await using engine = open();
  assert.equal((await engine.stats()).waiting, 1);
});

test("refuses a file that is no journal, and does not change it", () => {
  writeFileSync(file, "name,payload\ntask,1\n");
  assert.throws(open, /is no journal: line 1 is not JSON/);
  assert.equal(readFileSync(file, "utf8"), "name,payload\ntask,1\n");
  writeFileSync(file, "");
  return open().close();
});

test("drops jobs after their retention when it is opened again", async () => {
  {
    await using engine = open();
    const { id } = await engine.enqueue(task, "cancelled");
    await engine.cancel(id);
    await engine.enqueue(task, "waits");
  }
  while (Date.now() <= endedAtMs()) await pause(1);
  await using engine = open({ retainSucceededMs: 1 });
  const { cancelled, waiting } = await engine.stats();
  assert.deepEqual({ cancelled, waiting }, { cancelled: 0, waiting: 1 });
  assert.equal(readFileSync(file, "utf8").trim().split("\n").length, 1);
});

/** A millisecond after the end of the cancelled job. */
function endedAtMs(): number {
  const times = readFileSync(file, "utf8").match(/(?<="endedAtMs":)\d+/g) ?? [];
  return Math.max(...times.map(Number)) + 1;
}

test("is shared by the engines of a process, and free when the last engine is closed", async () => {
  const one = open();
  const other = open();
  await one.enqueue(task, "a");
  await one.close();
  assert.equal((await other.stats()).waiting, 1);
  await other.close();
  await open().close();
});

test("refuses wrong options, and opens nothing", () => {
  assert.throws(() => open({ file: "" }), TypeError);
  assert.throws(() => open({ runner: {} as never }), TypeError);
  assert.throws(() => open({ retainSucceededMs: 0 }), RangeError);
  assert.throws(() => open({ file: join(folder, "missing", "jobs.jsonl") }), /ENOENT/);
});
