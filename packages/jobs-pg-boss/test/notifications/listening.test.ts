import { setTimeout as pause } from "node:timers/promises";
import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { PgBossEngine } from "../../src/index.ts";
import { loadEngine, neverPolls, OtherConnection, statements } from "../support/listening.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";

afterAll(() => postgres?.stop());

/** A job whose handler notes each run, with what it was given. */
function noting(name: string) {
  const runs: number[] = [];
  const job = defineJob<{ value: number }>({
    name,
    maxAttempts: 2,
    backoff: { fixedMs: 0 },
    run: ({ value }) => void runs.push(value),
  });
  return { job, runs };
}

describe.skipIf(postgres === undefined).each(versions)("workers that listen, on pg-boss %i", (version) => {
  const schema = `listening_${version}`;
  let load: Awaited<ReturnType<typeof loadEngine>>;
  let other: OtherConnection;

  beforeAll(async () => {
    load = await loadEngine(version);
    other = await OtherConnection.open(connectionString);
  });
  afterAll(() => other.close());

  /** Opens what stands for a process of its own: engines share nothing but the server. */
  async function open(options: object = {}): Promise<PgBossEngine> {
    const engine = await load.pgBossEngine({
      runner: new ObservedJobRunner(),
      connectionString,
      schema,
      maxConnections: 3,
      pollIntervalMs: neverPolls,
      ...options,
    });
    onTestFinished(() => engine.close());
    return engine;
  }

  it("pick up jobs of other processes without a poll", async () => {
    const { job, runs } = noting("plain");
    const producer = await open();
    await (await open()).work({ jobs: [job] });
    await other.listening(schema, 1);
    for (let value = 1; value <= 5; value++) {
      await producer.enqueue(job, { value });
      await expect.poll(() => runs.length).toBe(value);
    }
    await producer.enqueueMany(
      job,
      Array.from({ length: 600 }, (_, value) => ({ value })),
    );
    await expect.poll(() => runs.length).toBe(605);
  });

  it("pick up every job of a producer that enqueues without a pause", async () => {
    const { job, runs } = noting("steady");
    const producer = await open();
    await (await open()).work({ jobs: [job], concurrency: 3 });
    await other.listening(schema, 1);
    for (let value = 1; value <= 200; value++) await producer.enqueue(job, { value });
    await expect.poll(() => runs.length).toBe(200);
  });

  it("pick up the last jobs of a process that closes its engine at once", async () => {
    const { job, runs } = noting("leaving");
    const producer = await open();
    await (await open()).work({ jobs: [job] });
    await other.listening(schema, 1);
    await Promise.all([1, 2, 3].map((value) => producer.enqueue(job, { value })));
    await producer.close();
    await expect.poll(() => runs.length).toBe(3);
  });

  it("hear of a transaction when it commits, and never of one that is rolled back", async () => {
    const { job, runs } = noting("in_transaction");
    const producer = await open();
    await (await open()).work({ jobs: [job] });
    await other.listening(schema, 1);
    const { db } = other;
    await other.query("BEGIN");
    await producer.enqueue(job, { value: 1 }, { db });
    await other.query("ROLLBACK");
    await other.query("BEGIN");
    await producer.enqueue(job, { value: 2 }, { db });
    await producer.enqueueMany(job, [{ value: 3 }, { value: 4 }], { db });
    expect(runs).toEqual([]);
    await other.query("COMMIT");
    await expect.poll(() => runs).toEqual([2, 3, 4]);
  });

  it("start delayed jobs of other processes when they are due", async () => {
    const startedAt: number[] = [];
    const job = defineJob({ name: "delayed", run: () => void startedAt.push(Date.now()) });
    const producer = await open();
    await (await open()).work({ jobs: [job] });
    await other.listening(schema, 1);
    const dueAt = [400, 700, 1_000].map((inMs) => Date.now() + inMs);
    for (const atMs of dueAt.toReversed()) await producer.enqueue(job, undefined, { runAt: new Date(atMs) });
    await expect.poll(() => startedAt.length).toBe(3);
    for (const [index, atMs] of dueAt.entries()) expect(startedAt[index]).toBeGreaterThanOrEqual(atMs - 50);
  });

  it("find by a look when the next of the jobs that were stored before is due", async () => {
    const { job, runs } = noting("stored_before");
    const producer = await open();
    await producer.enqueue(job, { value: 1 }, { runAt: new Date(Date.now() + 1_000) });
    await (await open()).work({ jobs: [job] });
    await expect.poll(() => runs).toEqual([1]);
  });

  it("take over at once what another worker hands back, and retries of a worker that has stopped", async () => {
    const given: string[] = [];
    const job = defineJob({
      name: "handed_back",
      run: async (_payload, { signal }) => {
        given.push("first");
        await pause(600_000, undefined, { signal });
      },
    });
    const second = defineJob({ name: "handed_back", run: () => void given.push("second") });
    const leaving = await open();
    const worker = await leaving.work({ jobs: [job] });
    await leaving.enqueue(job);
    await expect.poll(() => given).toEqual(["first"]);
    await (await open()).work({ jobs: [second] });
    await other.listening(schema, 2);
    await worker.stop({ graceMs: 0 });
    await expect.poll(() => given).toEqual(["first", "second"]);
  });

  it("pick up what another process redrives or moves to now", async () => {
    const runs: string[] = [];
    let isBroken = true;
    const job = defineJob<string>({
      name: "put_right",
      maxAttempts: 1,
      run(value) {
        if (isBroken) throw new Error("broken");
        runs.push(value);
      },
    });
    const caller = await open();
    await (await open()).work({ jobs: [job] });
    const dead = await Promise.all(["one", "two"].map((value) => caller.enqueue(job, value)));
    await expect.poll(async () => (await caller.stats()).deadLettered).toBe(2);
    isBroken = false;
    expect(await caller.redrive(dead[0]?.id ?? "")).toBe(true);
    await expect.poll(() => runs.length).toBe(1);
    expect(await caller.redriveAll({ jobName: job.name })).toBe(1);
    await expect.poll(() => runs.length).toBe(2);
    const later = await caller.enqueue(job, "later", { runAt: new Date(Date.now() + 3_600_000) });
    expect(await caller.reschedule(later.id, new Date(Date.now() - 1_000))).toBe(true);
    await expect.poll(() => runs.sort()).toEqual(["later", "one", "two"]);
  });

  it("hear of each of many names, long ones too, and of no other name", async () => {
    const names = Array.from({ length: 25 }, (_, index) => `name_${index}`);
    const long = "漢 ".repeat(250);
    const all = [...names, long].map(noting);
    const producer = await open();
    await (await open()).work({ jobs: all.map(({ job }) => job), concurrency: 2 });
    const { job: unheard } = noting("unheard");
    await producer.enqueue(unheard, { value: 0 });
    await other.listening(schema, 1);
    for (const { job, runs } of all) {
      await producer.enqueue(job, { value: 1 });
      await expect.poll(() => runs).toEqual([1]);
    }
    statements.length = 0;
    for (let value = 1; value <= 3; value++) await producer.enqueue(unheard, { value });
    await producer.close();
    const { job, runs } = all[0] as ReturnType<typeof noting>;
    const last = await open();
    await last.enqueue(job, { value: 2 });
    await expect.poll(() => runs).toEqual([1, 2]);
    // One fetch has found the last job. It came after the notifications of the others, which caused none.
    expect(statements.filter((text) => text.includes("FOR UPDATE SKIP LOCKED")).length).toBeLessThanOrEqual(
      2,
    );
  });

  it("share one connection of their engine, while there is one of them", async () => {
    const engine = await open();
    const workers = await Promise.all(
      ["one", "two", "three"].map((name) => engine.work({ jobs: [noting(name).job] })),
    );
    await other.listening(schema, 1);
    await Promise.all(workers.slice(1).map((worker) => worker.stop()));
    expect(await other.listeners(schema)).toHaveLength(1);
    await workers[0]?.stop();
    await other.listening(schema, 0);
    await engine.work({ jobs: [noting("four").job] });
    await other.listening(schema, 1);
  });

  it("listen again after their connection was ended, and miss nothing", async () => {
    const errors: unknown[] = [];
    const { job, runs } = noting("ended");
    const producer = await open();
    await (await open({ onError: (error: unknown) => errors.push(error) })).work({ jobs: [job] });
    for (let round = 1; round <= 3; round++) {
      const [pid] = await other.listening(schema, 1);
      await other.query("SELECT pg_terminate_backend($1)", [pid]);
      await producer.enqueue(job, { value: round });
      await expect.poll(() => runs.length).toBe(round);
      await expect.poll(() => other.listeners(schema)).not.toEqual([pid]);
    }
    await other.listening(schema, 1);
    await producer.enqueue(job, { value: 4 });
    await expect.poll(() => runs).toEqual([1, 2, 3, 4]);
    expect(errors.map(String), "the loss is told once a minute").toEqual([
      expect.stringMatching(/the connection that listens for new jobs is lost \(terminating connection/),
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("the log is full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the log is full"))],
  ])("listen again also if `onError` %s", async (how, onError) => {
    const { job, runs } = noting(`on_error_${how}`);
    const engine = await open({ onError });
    await engine.work({ jobs: [job] });
    const [pid] = await other.listening(schema, 1);
    await other.query("SELECT pg_terminate_backend($1)", [pid]);
    await expect.poll(() => other.listeners(schema)).not.toEqual([pid]);
    await other.listening(schema, 1);
    await engine.enqueue(job, { value: 1 });
    await expect.poll(() => runs).toEqual([1]);
  });

  it("poll with a pg-boss of the caller's, and hold no connection", async () => {
    const { job, runs } = noting("own_boss");
    const { startBoss } = await import("../support/start-boss.ts");
    const boss = await startBoss(version, connectionString, schema);
    onTestFinished(() => boss.stop({ graceful: false }));
    const engine = await open({
      connectionString: undefined,
      maxConnections: undefined,
      boss,
      pollIntervalMs: 50,
    });
    await engine.work({ jobs: [job] });
    await (await open()).enqueue(job, { value: 1 });
    await expect.poll(() => runs).toEqual([1]);
    expect(await other.listeners(schema)).toEqual([]);
  });

  it("ask one question in each interval while they are idle", async () => {
    const pollIntervalMs = 200;
    await open({ pollIntervalMs }).then((engine) =>
      engine.work({ jobs: ["idle_a", "idle_b"].map((name) => noting(name).job) }),
    );
    await other.listening(schema, 1);
    // pg-boss and the look after schedules ask questions of their own now and then.
    const questions = (): string[] => statements.filter((text) => /is_due|created_at_s/.test(text));
    await expect.poll(() => questions().length).toBeGreaterThan(3);
    const [before, sinceMs] = [questions().length, performance.now()];
    await expect.poll(() => questions().length - before).toBeGreaterThan(10);
    const asked = questions().slice(before);
    // A loaded machine makes the intervals longer, never shorter.
    expect(asked.length).toBeLessThanOrEqual((performance.now() - sinceMs) / pollIntervalMs + 2);
    expect(new Set(asked).size, "all are the same").toBe(1);
  });

  it("ask every 5 s while they listen, and within a short lease, unless told otherwise", async () => {
    const leaseMs = 1_000;
    await open({ pollIntervalMs: undefined, leaseMs }).then((engine) =>
      engine.work({ jobs: [noting("idle_by_default").job] }),
    );
    await other.listening(schema, 1);
    const looks = (): number => statements.filter((text) => text.includes("is_due")).length;
    // The first look after the connection began to listen.
    const first = looks();
    await expect.poll(looks).toBeGreaterThan(first);
    const [before, sinceMs] = [looks(), performance.now()];
    await expect.poll(looks).toBeGreaterThan(before + 2);
    expect(looks() - before).toBeLessThanOrEqual((performance.now() - sinceMs) / leaseMs + 1);
  });
});
