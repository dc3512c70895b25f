import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "@nidus/jobs-testkit";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { type PgBossEngine, pgBossEngine } from "../../src/index.ts";
import { type StartedBoss, startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
const single = { batchSize: 1, includeMetadata: true } as const;
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

/** An engine, and another program beside it in the same tables. */
async function open(version: (typeof versions)[number]): Promise<{
  engine: PgBossEngine;
  observer: JobRecorder;
  program: StartedBoss;
  schema: string;
}> {
  const schema = `shared_${crypto.randomUUID().replaceAll("-", "")}`;
  const program = await startBoss(version, connectionString, schema);
  closing.push(() => program.stop({ graceful: false }));
  const observer = recordingObserver();
  const runner = new ObservedJobRunner(observer);
  const engine = await pgBossEngine({ runner, boss: program, schema });
  closing.push(() => engine.close());
  return { engine, observer, program, schema };
}

describe.skipIf(postgres === undefined).each(versions)("beside other programs on pg-boss %i", (version) => {
  it("counts their queues under their own names, of any form", async () => {
    const { engine, observer, program } = await open(version);
    await engine.enqueue(defineJob({ name: "a name", run() {} }), undefined);
    const queue = "reports/20240101/daily";
    await program.createQueue(queue);
    await program.send(queue, {}, {});
    const { byName } = await engine.stats();
    expect(Object.keys(byName).sort()).toEqual(["a name", queue]);
    const backlog = await observer.opened[0]?.backlog();
    expect(backlog?.map(({ jobName }) => jobName).sort()).toEqual(["a name", queue]);
    expect(await engine.deadLetters()).toEqual([]);
  });

  it("does not cancel, list or redrive jobs in their queues", async () => {
    const { engine, program } = await open(version);
    await program.createQueue("theirs");
    const waiting = (await program.send("theirs", {}, { retryLimit: 0 })) as string;
    expect(await engine.cancel(waiting)).toBe(false);
    expect(await program.fetch("theirs", single)).toMatchObject([{ id: waiting, data: {} }]);
    expect(await engine.cancel(waiting)).toBe(false);
    await program.fail("theirs", waiting);
    expect(await engine.deadLetters()).toEqual([]);
    expect(await engine.redrive(waiting)).toBe(false);
    expect((await engine.stats()).byName.theirs).toMatchObject({ deadLettered: 1, waiting: 0 });
  });

  it("cancels, lists and redrives jobs that they sent to the engine's queues", async () => {
    const { engine, observer, program, schema } = await open(version);
    await program.createQueue("shared");
    const id = (await program.send("shared", { payload: 7 }, { retryLimit: 1 })) as string;
    const job = defineJob<number>({
      name: "shared",
      run() {
        throw new Error("always");
      },
    });
    const worker = await engine.work({ jobs: [job] });
    await expect.poll(() => observer.outcomesOf("shared")).toEqual(["dead-lettered"]);
    await worker.stop();
    // In another process, which has never heard of the name.
    const other = await pgBossEngine({ runner: new ObservedJobRunner(), boss: program, schema });
    expect(await other.deadLetters()).toMatchObject([{ id, jobName: "shared", payload: 7 }]);
    expect(await other.redrive(id)).toBe(true);
    expect(await other.cancel(id)).toBe(true);
    expect((await other.stats()).byName.shared).toMatchObject({ cancelled: 1 });
    await other.close();
  });

  it("knows the queue of a schedule before the schedule fires", async () => {
    const { engine, program, schema } = await open(version);
    await engine.schedule(defineJob({ name: "nightly", run() {} }), "0 0 1 1 *", undefined);
    const id = (await program.send("nightly", {}, {})) as string;
    const other = await pgBossEngine({ runner: new ObservedJobRunner(), boss: program, schema });
    expect(await other.cancel(id)).toBe(true);
    await other.close();
  });

  it("takes only its own request as a request to cancel a job", async () => {
    const { engine, program, schema } = await open(version);
    const other = await pgBossEngine({ runner: new ObservedJobRunner(), boss: program, schema });
    const running = new Map<string, AbortSignal>();
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const job = defineJob<string>({
      name: "shared",
      async run(payload, { signal }) {
        running.set(payload, signal);
        await ended;
      },
    });
    const { id } = await engine.enqueue(job, "ours");
    await program.send("shared", { payload: "false", isCancelRequested: false }, {});
    await program.send("shared", { payload: "null", isCancelRequested: null }, {});
    await program.send("shared", { payload: "text", isCancelRequested: "no" }, {});
    await engine.work({ jobs: [job], concurrency: 4 });
    await expect.poll(() => running.size).toBe(4);
    expect(await other.cancel(id)).toBe(true);
    // The worker asks for all four at once.
    await expect.poll(() => running.get("ours")?.aborted).toBe(true);
    expect([...running].filter(([, { aborted }]) => aborted).map(([payload]) => payload)).toEqual(["ours"]);
    end();
    await other.close();
  });

  it.each(["[1, 2]", '"text"', "7", "null", '{"a": 1}'])(
    "gives %s back as it was after a cancel",
    async (data) => {
      const { engine, program, schema } = await open(version);
      const query = (text: string, values: unknown[]) => program.getDb().executeSql(text, values);
      // This makes the queue the engine's own.
      await engine.enqueue(defineJob({ name: "shared", run() {} }), undefined, {
        runAt: new Date(Date.now() + 60_000),
      });
      const id = crypto.randomUUID();
      const insert = `INSERT INTO ${schema}.job (id, name, data, retry_limit) VALUES ($1, 'shared', $2::text::jsonb, 0)`;
      await query(insert, [id, data]);
      expect(await program.fetch("shared", single)).toHaveLength(1);
      expect(await engine.cancel(id)).toBe(true);
      expect(await engine.cancel(id)).toBe(true);
      // Its worker has not read the request.
      await program.fail("shared", id);
      expect(await engine.redrive(id)).toBe(true);
      const { rows } = await query(`SELECT state, data FROM ${schema}.job WHERE id = $1`, [id]);
      expect(rows).toEqual([{ state: "created", data: JSON.parse(data) }]);
    },
  );

  it("counts a job that is named like a queue of pg-boss's own", async () => {
    const { engine, observer } = await open(version);
    const job = defineJob({ name: "__pgboss__digest", run() {} });
    await engine.enqueue(job, undefined);
    expect((await engine.stats()).byName[job.name]?.waiting).toBe(1);
    expect(await observer.opened[0]?.backlog()).toMatchObject([{ jobName: job.name, waiting: 1 }]);
    await engine.work({ jobs: [job] });
    await expect.poll(() => observer.outcomesOf(job.name)).toEqual(["succeeded"]);
  });
});
