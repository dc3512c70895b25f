import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";
import { startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

const job = defineJob<string>({
  name: "counted",
  maxAttempts: 1,
  run(payload) {
    if (payload === "fail") throw new Error("it failed");
  },
});

/** An engine on a table of pg-boss that has some 70 MB of jobs in one state. */
async function openLarge(version: (typeof versions)[number], state: "completed" | "failed") {
  const schema = `large_${crypto.randomUUID().replaceAll("-", "")}`;
  const boss = await startBoss(version, postgres?.url ?? "", schema);
  closing.push(() => boss.stop({ graceful: false }));
  const observer = recordingObserver();
  const engine = await pgBossEngine({ runner: new ObservedJobRunner(observer), boss, schema });
  closing.push(() => engine.close());
  await boss.createQueue("filler");
  await boss.getDb().executeSql(
    `INSERT INTO ${schema}.job (name, state, data, completed_on)
      SELECT 'filler', '${state}', jsonb_build_object('payload', repeat('x', 1800)), now() FROM generate_series(1, 38000)`,
    [],
  );
  const backlog = async () => {
    const read = observer.opened[0];
    const [waiting, deadLetters] = await Promise.all([read?.backlog(), read?.deadLetters?.()]);
    const of = <Row extends { readonly jobName: string }>(rows: readonly Row[] = []) =>
      rows.find(({ jobName }) => jobName === job.name);
    return { waiting: of(waiting)?.waiting, deadLetters: of(deadLetters)?.count };
  };
  const run = async (payload: string, outcome: string): Promise<void> => {
    const outcomes = [...observer.outcomesOf(job.name), outcome];
    await engine.enqueue(job, payload);
    const worker = await engine.work({ jobs: [job] });
    await expect.poll(() => observer.outcomesOf(job.name)).toEqual(outcomes);
    await worker.stop();
  };
  return { engine, backlog, run };
}

describe.skipIf(postgres === undefined).each(versions)("a large table of pg-boss %i", (version) => {
  it("counts live jobs at each call, and ended ones again after a minute or a change of this process", async () => {
    const { engine, run } = await openLarge(version, "completed");
    expect((await engine.stats()).byName.filler).toMatchObject({ succeeded: 38_000, waiting: 0 });
    await run("fail", "dead-lettered");
    await engine.enqueue(job, "wait");
    await engine.enqueue(job, "later", { runAt: new Date(Date.now() + 60_000) });
    const soon = await engine.stats();
    expect(soon.byName.filler).toMatchObject({ succeeded: 38_000 });
    expect(soon.byName.counted).toMatchObject({ waiting: 1, scheduled: 1, running: 0, deadLettered: 0 });
    const [letter] = await engine.deadLetters();
    expect(await engine.redrive(letter?.id ?? "")).toBe(true);
    expect((await engine.stats()).byName.counted).toMatchObject({ waiting: 2, deadLettered: 0 });
  });

  it("counts the backlog at each scrape, and dead letters again after a minute or a change of this process", async () => {
    const { engine, backlog, run } = await openLarge(version, "failed");
    await run("fail", "dead-lettered");
    expect(await backlog()).toEqual({ waiting: 0, deadLetters: 1 });
    await run("fail", "dead-lettered");
    await engine.enqueue(job, "wait");
    expect(await backlog()).toEqual({ waiting: 1, deadLetters: 1 });
    expect(await engine.redriveAll({ jobName: job.name, limit: 1 })).toBe(1);
    expect(await backlog()).toEqual({ waiting: 2, deadLetters: 1 });
    expect(await engine.redriveAll({ jobName: job.name })).toBe(1);
    expect(await backlog()).toEqual({ waiting: 3, deadLetters: 0 });
  });
});
