import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { prepareEmbeddedFolder } from "test-servers";
import { describe, expect, it } from "vitest";
import type { EngineTask, ProduceTask, WorkTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { eventually } from "./support/eventually.ts";
import { balance, drained } from "./support/ledger.ts";
import { type OnFinished, temporaryFolder } from "./support/temporary-folder.ts";

const enqueuingKills = 10;
const runningKills = 3;

/** The share of a first boot's files that exist at the kill. */
const partsOfFirstBoot = [0, 0.3, 0.6, 0.9];

/** About ten lines with an id each. */
const bytesBeforeKill = 400;

async function filesIn(folder: string): Promise<number> {
  // A folder may disappear while it is read.
  return (await readdir(folder, { recursive: true }).catch(() => [])).length;
}

async function lengthOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

function embedded(folder: string): EngineTask {
  return { kind: "pglite", place: join(folder, "jobs"), space: "embedded", leaseMs: 1_000 };
}

/** Starts a process, and kills it at a random moment after the first lines of its log. */
async function startAndKill(task: ProduceTask | WorkTask, onFinished: OnFinished): Promise<void> {
  const child = new Child(task, onFinished);
  const length = await lengthOf(task.log);
  await child.says("ready");
  await eventually(
    async () => (await lengthOf(task.log)) > length + bytesBeforeKill,
    () => `nothing goes on: ${child.stderr}`,
  );
  await pause(Math.random() * 200);
  child.requireAlive();
  await child.kill();
}

describe("an embedded database whose process is killed", () => {
  it.concurrent("loses no acknowledged job, killed while it enqueues and while it runs jobs", async ({
    onTestFinished,
  }) => {
    const folder = await temporaryFolder(onTestFinished);
    const engine = embedded(folder);
    await prepareEmbeddedFolder(engine.place);
    const log = join(folder, "producer.log");
    const producer: ProduceTask = { role: "produce", engine, log, pauseMs: 0 };
    for (let kill = 0; kill < enqueuingKills; kill++) {
      await startAndKill(producer, onTestFinished);
    }
    const workerLog = join(folder, "worker.log");
    const worker: WorkTask = { role: "work", engine, log: workerLog, concurrency: 2 };
    for (let kill = 0; kill < runningKills; kill++) {
      await startAndKill(worker, onTestFinished);
    }
    expect((await balance(log, [workerLog])).lost).toBeGreaterThan(0);
    const last = new Child({ ...worker, concurrency: 50 }, onTestFinished);
    const title = `PGlite, killed ${enqueuingKills} times while enqueuing and ${runningKills} times in mid-run`;
    const { acknowledged, lost } = await drained(title, log, [workerLog]);
    await last.stop();
    expect(acknowledged).toBeGreaterThan(50);
    expect(lost).toBe(0);
  });

  it.concurrent("opens after a kill during its first boot", async ({ onTestFinished }) => {
    const whole = await temporaryFolder(onTestFinished);
    await prepareEmbeddedFolder(embedded(whole).place);
    const files = await filesIn(whole);
    for (const part of partsOfFirstBoot) {
      const folder = await temporaryFolder(onTestFinished);
      const engine = embedded(folder);
      const killed = new Child({ role: "stand-by", engine }, onTestFinished);
      await eventually(
        async () => (await filesIn(folder)) >= part * files,
        () => `the first boot does not go on: ${killed.stderr}`,
      );
      killed.requireAlive();
      await killed.kill();
      const next = new Child({ role: "stand-by", engine }, onTestFinished);
      await next.says("ready");
      const { id } = await next.answer("enqueue", "enqueued");
      await next.stop();
      console.log(`PGlite, first boot killed with ${part * 100} % of its files: opened, enqueued ${id}`);
    }
  });
});
