import { asyncJob } from "@nidus/jobs-core";
import { defineJob, type JobDefinition, memoryEngine } from "@nidus/jobs-durable";
import { describe, expect, test } from "vitest";
import type { JobView } from "../../src/wire.ts";
import { fedPage, viewOf } from "../support/page-client.ts";

type Given = Partial<JobDefinition<void>>;

const everyObjective = { succeedEveryMs: 60_000, startWithinMs: 5_000, finishWithinMs: 2_000 };

describe("the view of a job", () => {
  test.each<[Given, Readonly<Record<string, number>>]>([
    [{}, { "Attempts at most": 5, "Wait after a failure": 250, "Doubled up to": 30_000, Priority: 0 }],
    [
      {
        maxAttempts: 2,
        timeoutMs: 1_000,
        priority: 9,
        backoff: { fixedMs: 500 },
        objectives: everyObjective,
      },
      {
        "A success at least every": 60_000,
        "Starts within": 5_000,
        "Finishes within": 2_000,
        "Cut off after": 1_000,
        "Attempts at most": 2,
        "Wait after a failure": 500,
        Priority: 9,
      },
    ],
    [{ backoff: (attempt) => attempt * 10 }, { "Attempts at most": 5, Priority: 0 }],
  ])("lists the objectives and options of its definition: %o", async (given, limits) => {
    const { page, runner } = fedPage();
    const engine = memoryEngine({ runner });
    const worker = await engine.work({ jobs: [defineJob({ name: "export", run: () => {}, ...given })] });
    const view = await viewOf<JobView>(page, "job?name=export");
    expect(view.limits.map(({ label, ms, number }) => [label, ms ?? number])).toEqual(Object.entries(limits));
    await worker.stop();
    await engine.close();
  });

  test("lists the schedules of this job, however many others there are", async () => {
    const { page, runner } = fedPage();
    const engine = memoryEngine({ runner });
    for (let minute = 0; minute < 60; minute++) {
      for (let hour = 0; hour < 17; hour++) {
        const cron = `${minute} ${hour} * * *`;
        await engine.schedule(defineJob({ name: "often", run: () => {} }), cron, undefined, { key: cron });
      }
    }
    await engine.schedule(defineJob({ name: "export", run: () => {} }), "0 3 1 1 *");
    page.watch(engine);
    // It takes no query, and lists all of them.
    page.watch({
      name: "earlier",
      stats: () => engine.stats(),
      deadLetters: () => engine.deadLetters(),
      cancel: (id) => engine.cancel(id),
      redrive: (id) => engine.redrive(id),
      schedules: () => engine.schedules(),
    });
    const { schedules } = await viewOf<JobView>(page, "job?name=export");
    const listed = schedules.map(({ jobName, cron, engine }) => [jobName, cron, engine]);
    expect(listed).toEqual([
      ["export", "0 3 1 1 *", "memory"],
      ["export", "0 3 1 1 *", "earlier"],
    ]);
    await engine.close();
  });

  test("lists no options without an engine", async () => {
    const { page, runner } = fedPage();
    await runner.runAsync(asyncJob("in_process", () => {}));
    expect((await viewOf<JobView>(page, "job?name=in_process")).limits).toEqual([]);
  });
});
