import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine } from "../../src/index.ts";
import { type OpenedStore, openStore } from "../support/open-backend.ts";
import { versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

async function open(version: (typeof versions)[number]): Promise<{
  readonly store: OpenedStore;
  readonly engine: PgBossEngine;
  readonly recorder: ReturnType<typeof recordingObserver>;
  engineBeside(): Promise<PgBossEngine>;
}> {
  const store = await openStore(version, postgres?.url ?? "");
  closing.push(store.close);
  const recorder = recordingObserver();
  const engineBeside = async (observer = recordingObserver()): Promise<PgBossEngine> => {
    const runner = new ObservedJobRunner(observer);
    const { linked: boss, schema } = store;
    const engine = await pgBossEngine({ runner, boss, schema, pollIntervalMs: 50 });
    closing.push(() => engine.close());
    return engine;
  };
  return { store, engine: await engineBeside(recorder), recorder, engineBeside };
}

/** The jobs in the table that have not started, whatever queue they are in. */
function waiting(store: OpenedStore): Promise<Record<string, unknown>[]> {
  return store.query(`SELECT id, name FROM ${store.schema}.job WHERE state = 'created' ORDER BY name`);
}

const daily = "0 3 1 1 *";

describe.skipIf(postgres === undefined).each(versions)("schedules on pg-boss %i", (version) => {
  it("go on behind a run that was cancelled", async () => {
    const { store, engine, recorder } = await open(version);
    const job = defineJob({ name: "every_second", run() {} });
    await engine.schedule(job, "* * * * * *");
    const [next] = await waiting(store);
    expect(await engine.cancel(String(next?.id))).toBe(true);
    expect((await engine.stats()).byName.every_second).toMatchObject({ cancelled: 1 });
    await engine.work({ jobs: [job] });
    await expect.poll(() => recorder.outcomesOf("every_second"), { timeout: 30_000 }).toContain("succeeded");
    expect(recorder.runs.map(({ delivery }) => delivery?.jobId)).not.toContain(next?.id);
  });

  it("go on behind a dead letter, which runs alone when it is redriven", async () => {
    const { engine, recorder } = await open(version);
    let isBroken = true;
    const job = defineJob({
      name: "often",
      maxAttempts: 1,
      run() {
        if (isBroken) throw new Error("broken");
      },
    });
    await engine.schedule(job, { everyMs: 200 });
    await engine.work({ jobs: [job] });
    await expect.poll(() => recorder.outcomesOf("often"), { timeout: 30_000 }).toContain("dead-lettered");
    isBroken = false;
    const [letter] = await engine.deadLetters();
    expect(await engine.redrive(letter?.id ?? "")).toBe(true);
    const runsOf = (id: unknown): unknown[] => recorder.runs.filter(({ delivery }) => delivery?.jobId === id);
    await expect.poll(() => runsOf(letter?.id).length, { timeout: 30_000 }).toBe(2);
    expect((await engine.stats()).scheduled).toBeLessThanOrEqual(1);
    expect(await engine.unschedule(job)).toBe(true);
    // A delivery may be storing the next run at this moment, and removes it again.
    await expect.poll(async () => (await engine.stats()).scheduled, { timeout: 30_000 }).toBe(0);
  });

  it("store one run, whatever many processes do at the same time", async () => {
    const { store, engine, engineBeside } = await open(version);
    const engines = [engine, await engineBeside(), await engineBeside()];
    const job = defineJob<number>({ name: "raced", run() {} });
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => engines[index % 3]?.schedule(job, daily, index % 2)),
    );
    expect((await engine.stats()).byName.raced).toMatchObject({ scheduled: 1 });
    const ended = await Promise.all(engines.map((each) => each.unschedule(job)));
    expect(ended.filter(Boolean)).toHaveLength(1);
    expect(await waiting(store)).toEqual([]);
  });

  it("come back when a worker begins, if another program has removed their next run", async () => {
    const { store, engine, engineBeside } = await open(version);
    const job = defineJob({ name: "removed", run() {} });
    await engine.schedule(job, daily, undefined, { key: "a" });
    await engine.schedule(job, { everyMs: 60_000 }, undefined, { key: "b" });
    await store.query(`DELETE FROM ${store.schema}.job WHERE name = 'removed'`);
    expect((await engine.stats()).scheduled).toBe(0);
    await (await engineBeside()).work({ jobs: [job] });
    await expect.poll(async () => (await engine.stats()).scheduled, { timeout: 30_000 }).toBe(2);
  });

  it("are in no count, list or cancellation, and leave out what other programs store beside them", async () => {
    const { store, engine, recorder } = await open(version);
    const job = defineJob({ name: "listed", run() {} });
    await engine.schedule(job, daily);
    expect(Object.keys((await engine.stats()).byName)).toEqual(["listed"]);
    expect((await recorder.opened[0]?.backlog())?.map(({ jobName }) => jobName)).toEqual(["listed"]);
    const [{ id: recordId }] = (await waiting(store)).filter(({ name }) => name !== "listed") as [
      { id: string },
    ];
    expect(await engine.cancel(recordId)).toBe(false);
    expect(await engine.job(recordId)).toBeUndefined();
    expect((await engine.jobs()).jobs.map(({ jobName, state }) => [jobName, state])).toEqual([
      ["listed", "scheduled"],
    ]);
    for (const data of ["null", "[]", '"x"', '{"jobName":"listed"}', '{"jobName":"listed","nextId":"-"}']) {
      await store.query(
        `INSERT INTO ${store.schema}.job (name, data) SELECT name, $2::jsonb FROM ${store.schema}.job WHERE id = $1`,
        [recordId, data],
      );
    }
    expect(await engine.schedules()).toMatchObject([{ jobName: "listed", cron: daily }]);
    await engine.work({ jobs: [job] });
    await engine.schedule(job, daily);
    expect((await engine.stats()).scheduled).toBe(1);
  });

  it("survive the loss of a connection between a delivery and its next run", async () => {
    const { store, engine, recorder } = await open(version);
    const job = defineJob({ name: "cut_off", run() {} });
    await engine.schedule(job, { everyMs: 300 });
    await engine.work({ jobs: [job] });
    let lost = 0;
    store.link = async (text, run) => {
      if (lost > 1 || !/FROM .*\.job r JOIN unnest/s.test(text)) return run();
      lost++;
      throw Object.assign(new Error("connection lost"), { code: "ECONNRESET" });
    };
    await expect.poll(() => recorder.outcomesOf("cut_off").length, { timeout: 30_000 }).toBeGreaterThan(2);
    expect(lost).toBe(2);
    const moments = recorder.runs.map(({ delivery }) => delivery?.runAt.getTime());
    expect(new Set(moments).size).toBe(moments.length);
  });
});
