import { type DurableJob, defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "@nidus/jobs-testkit";
import { sharedPostgres } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { pgBossEngine } from "../../src/index.ts";
import { type StartedBoss, startBoss, versions } from "../support/start-boss.ts";

const postgres = await sharedPostgres();
const closing: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await postgres?.stop();
});

interface Opened {
  readonly engine: JobEngine;
  readonly observer: JobRecorder;
  readonly boss: StartedBoss;
  readonly schema: string;
  /** Runs a job that another process cancels during its run. Its handler then ends with `end`, before the worker has asked. */
  cancelledJob(maxAttempts: number, end: (signal: AbortSignal) => unknown): DurableJob<void>;
}

async function open(version: (typeof versions)[number]): Promise<Opened> {
  const schema = `cancel_${crypto.randomUUID().replaceAll("-", "")}`;
  const boss = await startBoss(version, postgres?.url ?? "", schema);
  closing.push(() => boss.stop({ graceful: false }));
  const observer = recordingObserver();
  const engine = await pgBossEngine({ runner: new ObservedJobRunner(observer), boss, schema });
  const other = await pgBossEngine({ runner: new ObservedJobRunner(), boss, schema });
  closing.push(
    () => engine.close(),
    () => other.close(),
  );
  const cancelledJob: Opened["cancelledJob"] = (maxAttempts, end) =>
    defineJob<void>({
      name: "cancelled",
      maxAttempts,
      backoff: { baseMs: 60_000, maxMs: 60_000 },
      async run(_payload, { delivery, signal }) {
        expect(await other.cancel(delivery?.jobId ?? "")).toBe(true);
        await end(signal);
      },
    });
  return { engine, observer, boss, schema, cancelledJob };
}

const fail = (): never => {
  throw new Error("always");
};

describe.skipIf(postgres === undefined).each(versions)(
  "a request to cancel a running job, on pg-boss %i",
  (version) => {
    it.each([
      ["its last attempt", 1],
      ["an earlier attempt", 2],
    ])("is kept if %s fails before the worker has read it", async (_which, maxAttempts) => {
      const { engine, observer, cancelledJob } = await open(version);
      const job = cancelledJob(maxAttempts, fail);
      await engine.enqueue(job, undefined);
      const worker = await engine.work({ jobs: [job] });
      await expect.poll(() => observer.outcomesOf(job.name)).toEqual(["cancelled"]);
      expect(observer.settled[0]?.error?.message).toBe("always");
      expect(await worker.stop()).toMatchObject({ started: 1, cancelled: 1, retried: 0, deadLettered: 0 });
      expect(await engine.stats()).toMatchObject({ cancelled: 1, scheduled: 0, deadLettered: 0 });
      expect(await engine.deadLetters()).toEqual([]);
    });

    it("changes nothing for a run that succeeds", async () => {
      const { engine, observer, cancelledJob } = await open(version);
      const job = cancelledJob(1, () => {});
      await engine.enqueue(job, undefined);
      const worker = await engine.work({ jobs: [job] });
      await expect.poll(() => observer.outcomesOf(job.name)).toEqual(["succeeded"]);
      expect(await worker.stop()).toMatchObject({ succeeded: 1, cancelled: 0 });
      expect(await engine.stats()).toMatchObject({ succeeded: 1, cancelled: 0 });
    });

    it("stays with a released job, and ends it without a further run", async () => {
      const { engine, observer, cancelledJob } = await open(version);
      let start = (): void => {};
      const started = new Promise<void>((resolve) => {
        start = resolve;
      });
      const job = cancelledJob(2, async (signal) => {
        start();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      });
      await engine.enqueue(job, undefined);
      const first = await engine.work({ jobs: [job] });
      // At once: the worker has not asked for requests yet.
      await started;
      expect(await first.stop({ graceMs: 0 })).toMatchObject({ interrupted: 1, cancelled: 0 });
      expect(observer.settled).toEqual([]);
      const second = await engine.work({ jobs: [job] });
      await expect.poll(() => observer.outcomesOf(job.name)).toEqual(["cancelled"]);
      expect(await second.stop()).toMatchObject({ started: 0, cancelled: 1 });
    });
  },
);

describe.skipIf(postgres === undefined)("a job that ends as cancelled instead of failed", () => {
  it("is retained like other cancelled jobs, if pg-boss stores the retention of each job", async () => {
    const { engine, observer, boss, schema, cancelledJob } = await open(12);
    const job = cancelledJob(1, fail);
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await expect.poll(() => observer.outcomesOf(job.name)).toEqual(["cancelled"]);
    const text = `SELECT deletion_seconds FROM ${schema}.job WHERE id = $1`;
    const { rows } = await boss.getDb().executeSql(text, [id]);
    expect(rows).toEqual([{ deletion_seconds: 24 * 60 * 60 }]);
  });
});
