import { setTimeout as pause } from "node:timers/promises";
import { asyncJob } from "@nidus/jobs-core";
import { afterAll, describe, expect, test } from "vitest";
import type { JobView, OverviewView, RunningView, RunView } from "../../src/wire.ts";
import { fedPage, viewOf } from "../support/page-client.ts";

const forever = () => new Promise<void>(() => {});

/** Runs a job once, and starts it once more. */
async function runAndStart(runner: ReturnType<typeof fedPage>["runner"], name: string): Promise<void> {
  await runner.runAsync(asyncJob(name, () => {}));
  void runner.runAsync(asyncJob(name, forever));
}

describe.each([
  ["a long name", "n".repeat(3_000), `${"n".repeat(511)}…`],
  ["a name with an unpaired surrogate", "import-\ud83d", "import-\ufffd"],
  ["a name beyond the limit", "beyond", "<overflow>"],
])("the figures of %s", (_what, name, shown) => {
  const { page, runner } = fedPage();
  const isBeyond = name === "beyond";
  afterAll(() => page.shutdown());

  test("are the same in all views", async () => {
    for (let index = 0; isBeyond && index < 500; index++) runner.declare({ name: `job-${index}` });
    runner.declare({ name, objectives: { finishWithinMs: 1 } });
    await runAndStart(runner, name);

    const row = (await viewOf<OverviewView>(page, "overview")).jobs.find((job) => job.name === shown);
    expect(row?.process).toMatchObject({ running: 1, finishedInHour: 1 });
    expect(row?.process?.oldestRunningAt).toBeTypeOf("number");

    const [run] = (await viewOf<RunningView>(page, "running")).runs;
    expect(run?.p95Ms).toBeCloseTo(row?.process?.p95Ms ?? Number.NaN, 1);
    expect(run?.jobName).toBe(isBeyond ? name : shown);

    for (const address of [name.toWellFormed(), run?.jobName ?? ""].map(encodeURIComponent)) {
      const view = await viewOf<JobView>(page, `job?name=${address}`);
      expect(view.job).toMatchObject({ name: shown, process: { running: 1 } });
      expect(view.runs).toHaveLength(1);
      for (const id of [run?.runId, view.runs[0]?.runId]) {
        expect((await viewOf<RunView>(page, `run?job=${address}&id=${id}`)).run?.runId).toBe(id);
      }
    }
  });

  test("are judged by its own objectives, and by no other's", async () => {
    await pause(20);
    const row = (await viewOf<OverviewView>(page, "overview")).jobs.find((job) => job.name === shown);
    const { limits } = await viewOf<JobView>(page, `job?name=${encodeURIComponent(name.toWellFormed())}`);
    const [run] = (await viewOf<RunningView>(page, "running")).runs;
    expect(row?.state).toBe(isBeyond ? "fine" : "stuck");
    expect(limits.map(({ label }) => label)).toEqual(isBeyond ? [] : ["Finishes within"]);
    expect(run?.finishWithinMs).toBe(isBeyond ? null : 1);
  });
});

test("names beyond the limit say nothing of other names", async () => {
  const { page, runner } = fedPage();
  for (let index = 0; index < 500; index++) runner.declare({ name: `job-${index}` });
  await runAndStart(runner, "beyond");
  expect((await viewOf<JobView>(page, "job?name=never-run")).job).toBeNull();
});
