import { ObservedJobRunner, type SettledJobContext } from "@nidus/jobs-observe";
import PgBoss10 from "pg-boss";
import PgBoss9 from "pg-boss-9";
import { PgBoss as PgBoss12 } from "pg-boss-12";
import { sharedPostgres } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { observePgBossHandler } from "../../src/index.ts";

const postgres = await sharedPostgres();
const connectionString = postgres?.url ?? "";
const withinMs = { timeout: 120_000 };

afterAll(() => postgres?.stop());

function listening() {
  const heard: SettledJobContext[] = [];
  const runner = new ObservedJobRunner({ onJobSettled: (context) => void heard.push(context) });
  const told = (): string[] =>
    heard.map(({ outcome, delivery }) => `${outcome} ${delivery.attempt}/${delivery.maxAttempts}`);
  return { heard, runner, told };
}

/** The calls of pg-boss 10 and 12 that these tests use. */
interface Boss {
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  on(event: "error", listener: () => void): unknown;
  createQueue(name: string): Promise<unknown>;
  send(name: string, data: object, options: object): Promise<string | null>;
  fetch(name: string): Promise<unknown>;
  work(name: string, options: object, handler: never): Promise<unknown>;
  getJobById(name: string, id: string): Promise<{ state: string } | null>;
  /** Makes pg-boss look for expired jobs. */
  takeBack(name: string): Promise<unknown>;
}

const bosses: Record<number, () => Boss> = {
  10: () => {
    const boss = new PgBoss10({ connectionString, schema: "outcomes_10" });
    return Object.assign(boss as unknown as Boss, { takeBack: () => boss.maintain() });
  },
  12: () => {
    const boss = new PgBoss12({ connectionString, schema: "outcomes_12", monitorIntervalSeconds: 1 });
    return Object.assign(boss as unknown as Boss, { takeBack: (name: string) => boss.supervise(name) });
  },
};

for (const [version, make] of Object.entries(bosses)) {
  describe.skipIf(postgres === undefined)(`outcomes of a wrapped handler on pg-boss ${version}`, () => {
    const boss = make();
    const options = { includeMetadata: true, pollingIntervalSeconds: 0.5 };
    beforeAll(async () => {
      boss.on("error", () => {});
      await boss.start();
    });
    afterAll(() => boss.stop({ graceful: false }));

    it("are retries, and then dead letters", withinMs, async () => {
      const { runner, told } = listening();
      await boss.createQueue("fails");
      const id = (await boss.send("fails", {}, { retryLimit: 1, retryDelay: 0 })) as string;
      const handler = observePgBossHandler(runner, async (_jobs: { id: string; name: string }[]) => {
        throw new Error("always");
      });
      await boss.work("fails", options, handler as never);
      await expect.poll(told, withinMs).toEqual(["retried 1/2", "dead-lettered 2/2"]);
      await expect.poll(async () => (await boss.getJobById("fails", id))?.state, withinMs).toBe("failed");
    });

    it(
      "are failures for a handler that outlives its time, although it succeeds later",
      withinMs,
      async () => {
        const { runner, told, heard } = listening();
        await boss.createQueue("takes-long");
        const id = (await boss.send("takes-long", {}, { retryLimit: 0, expireInSeconds: 1 })) as string;
        let finish = (): void => {};
        const finished = new Promise<void>((resolve) => {
          finish = resolve;
        });
        const ended: string[] = [];
        const handler = observePgBossHandler(runner, async (_jobs: { id: string; name: string }[]) => {
          await finished;
          ended.push("handler");
        });
        await boss.work("takes-long", options, handler as never);
        await expect
          .poll(async () => (await boss.getJobById("takes-long", id))?.state, withinMs)
          .toBe("failed");
        await expect.poll(told, withinMs).toEqual(["dead-lettered 1/1"]);
        finish();
        await expect.poll(() => ended, withinMs).toEqual(["handler"]);
        expect(told()).toEqual(["dead-lettered 1/1"]);
        expect(heard[0]?.error?.message).toContain("longer than 1 s");
      },
    );

    it("report an attempt whose worker died as stalled, with the next delivery", withinMs, async () => {
      const { runner, told } = listening();
      await boss.createQueue("stalls");
      const id = (await boss.send(
        "stalls",
        {},
        { retryLimit: 2, retryDelay: 0, expireInSeconds: 1 },
      )) as string;
      // The fetcher never tells how the job ended.
      await boss.fetch("stalls");
      const isBack = async (): Promise<boolean> => {
        await boss.takeBack("stalls");
        return (await boss.getJobById("stalls", id))?.state === "retry";
      };
      await expect.poll(isBack, { ...withinMs, interval: 200 }).toBe(true);
      const handler = observePgBossHandler(runner, async (_jobs: { id: string; name: string }[]) => {});
      await boss.work("stalls", options, handler as never);
      await expect.poll(told, withinMs).toEqual(["stalled 1/3", "succeeded 2/3"]);
    });
  });
}

describe.skipIf(postgres === undefined)("observePgBossHandler on pg-boss 9", () => {
  const boss = new PgBoss9({ connectionString, schema: "outcomes_9" });
  boss.on("error", () => {});
  beforeAll(async () => void (await boss.start()), 60_000);
  afterAll(() => boss.stop({ graceful: false }));

  it("observes the one job with which a handler is called", withinMs, async () => {
    const { runner, told, heard } = listening();
    const id = (await boss.send("single", { to: "ada" }, { retryLimit: 1 })) as string;
    const handled: unknown[] = [];
    const handler = observePgBossHandler(runner, async (job: { id: string; name: string; data?: object }) => {
      handled.push(job.data);
      if (handled.length === 1) throw new Error("the first time");
      return "sent";
    });
    await boss.work("single", { includeMetadata: true, newJobCheckInterval: 100 }, handler as never);
    await expect.poll(told, withinMs).toEqual(["retried 1/2", "succeeded 2/2"]);
    expect(handled).toEqual([{ to: "ada" }, { to: "ada" }]);
    expect(heard[0]?.delivery).toMatchObject({ queue: "single", jobId: id });
  });

  it("observes each job of a batch", withinMs, async () => {
    const { runner, told } = listening();
    for (const to of ["ada", "grace"]) await boss.send("batch", { to });
    const handler = observePgBossHandler(runner, async (jobs: { id: string; name: string }[]) => jobs.length);
    await boss.work(
      "batch",
      { batchSize: 5, includeMetadata: true, newJobCheckInterval: 100 },
      handler as never,
    );
    await expect.poll(() => told().length, withinMs).toBe(2);
  });
});

describe("outcomes of a wrapped handler", () => {
  const job = { id: "1", name: "a", retryCount: 0, retryLimit: 3 };

  it("are final for a job that its result sends to the dead letters", async () => {
    const { runner, told } = listening();
    const handler = observePgBossHandler(runner, async (_jobs: (typeof job)[]) => [
      { id: "1", status: "failed" },
      { id: "1", status: "deadletter" },
    ]);
    await handler([job]);
    expect(told()).toEqual(["dead-lettered 1/4"]);
  });

  it("are failures for a job that the handler's results leave out", async () => {
    const { runner, told } = listening();
    const handler = observePgBossHandler(runner, async (_jobs: (typeof job)[]) => [
      { id: "2", status: "completed" },
    ]);
    await handler([job, { ...job, id: "2" }]);
    expect(told().sort()).toEqual(["retried 1/4", "succeeded 1/4"]);
  });

  it("are successes for an ordinary array", async () => {
    const { runner, told } = listening();
    const handler = observePgBossHandler(runner, async (_jobs: (typeof job)[]) => [
      { id: "7", status: "open" },
    ]);
    await handler([job]);
    expect(told()).toEqual(["succeeded 1/4"]);
  });

  it("have the job's dates, also if the application reads them as text", async () => {
    const { runner, heard } = listening();
    const handler = observePgBossHandler(runner, async () => {});
    await handler([
      {
        ...job,
        createdOn: "2026-03-29 01:30:00.123456+00" as never,
        startAfter: "2026-03-29 07:00:00+05:30" as never,
      },
    ]);
    expect(heard[0]?.delivery.enqueuedAt.toISOString()).toBe("2026-03-29T01:30:00.123Z");
    expect(heard[0]?.delivery.runAt.toISOString()).toBe("2026-03-29T01:30:00.000Z");
  });

  it("have valid dates, with any content of the table", async () => {
    const { runner, heard } = listening();
    const handler = observePgBossHandler(runner, async () => {});
    await handler([
      { ...job, createdOn: Number.NEGATIVE_INFINITY as never, startAfter: new Date(Number.NaN) },
    ]);
    expect(Number.isFinite(heard[0]?.delivery.runAt.getTime())).toBe(true);
    expect(Number.isFinite(heard[0]?.delivery.enqueuedAt.getTime())).toBe(true);
  });
});
