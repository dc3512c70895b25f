import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import PgBoss from "pg-boss";
import { embeddedDatabase, prepareEmbeddedFolder } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine, type SqlDatabase } from "../../src/index.ts";

const job = defineJob<number>({ name: "counted", run() {} });
let dataDir = "";
let engine: PgBossEngine;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "nidus-loop-"));
  await prepareEmbeddedFolder(dataDir);
  // Hundreds of calls at once are answered late on a busy machine.
  engine = await pgBossEngine({ runner: new ObservedJobRunner(), dataDir, answerWithinMs: 60_000 });
  await engine.enqueue(job, 0);
});
afterAll(async () => {
  await engine.close();
  await rm(dataDir, { recursive: true });
});

const id = crypto.randomUUID();

/** Calls that do nothing but wait for the database. */
const questions: Readonly<Record<string, (n: number) => Promise<unknown>>> = {
  enqueue: (n) => engine.enqueue(job, n),
  "several at once": (n) => Promise.all([1, 2, 3].map(() => engine.enqueue(job, n))),
  "enqueue with a key": (n) => engine.enqueue(job, n, { idempotencyKey: `key${n}` }),
  enqueueMany: (n) => engine.enqueueMany(job, [n, n, n]),
  stats: () => engine.stats(),
  deadLetters: () => engine.deadLetters({ limit: 1 }),
  cancel: () => engine.cancel(id),
  redrive: () => engine.redrive(id),
};

describe("while an embedded database is asked again and again", () => {
  it.each(Object.entries(questions))("timers get their turn: %s", async (_name, ask) => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    // Repeated until the timer fires: without turns of the event loop it never does.
    for (let n = 0; turns < 5 && n < 3_000; n++) await ask(n);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it("timers get their turn between concurrent calls", async () => {
    let left = 300;
    let leftAtFirstTurn: number | undefined;
    const timer = setInterval(() => {
      leftAtFirstTurn ??= left;
    }, 1);
    const calls = Array.from({ length: left }, (_, n) => engine.enqueue(job, n).then(() => left--));
    await Promise.all(calls);
    clearInterval(timer);
    expect(leftAtFirstTurn).toBeGreaterThan(0);
  });

  it("requests, signals and deadlines get their turn", async () => {
    const heard: string[] = [];
    const server = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    process.once("SIGUSR2", () => heard.push("signal"));
    AbortSignal.timeout(20).addEventListener("abort", () => heard.push("deadline"));
    fetch(`http://127.0.0.1:${port}`).then(() => heard.push("request"));
    process.kill(process.pid, "SIGUSR2");
    // Repeated until all have fired: without turns of the event loop this never ends.
    for (let n = 0; heard.length < 3 && n < 5_000; n++) await engine.enqueue(job, n);
    expect(heard.sort()).toEqual(["deadline", "request", "signal"]);
    server.close();
  });

  it("timers get their turn if the embedded database is the caller's", async () => {
    const pglite = await embeddedDatabase();
    const db: SqlDatabase = {
      async executeSql(text, values = []) {
        if (values.length > 0) return pglite.query(text, values);
        return { rows: (await pglite.exec(text)).flatMap(({ rows }) => rows) };
      },
    };
    const boss = new PgBoss({ db });
    boss.on("error", () => {});
    await boss.start();
    const own = await pgBossEngine({ runner: new ObservedJobRunner(), boss });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    for (let n = 0; turns < 5 && n < 3_000; n++) await own.enqueue(job, n);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(5);
    await own.close();
    await boss.stop({ graceful: false });
    await pglite.close();
  });

  it("timers get their turn beside a worker", async () => {
    const worker = await engine.work({ jobs: [job], concurrency: 5 });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    // A poll without pauses, beside the statements of the worker.
    while (turns < 5 && (await engine.stats()).waiting > 0);
    clearInterval(timer);
    await worker.stop();
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});
