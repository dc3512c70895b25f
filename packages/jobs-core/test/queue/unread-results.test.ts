import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { type AsyncJob, AsyncJobQueue, asyncJob, JobQueue, job } from "../../src/index.ts";

function* lines(): Generator<number> {
  yield 1;
}
async function* pages(): AsyncGenerator<number> {
  yield 1;
}

describe("a job that returns a generator", () => {
  it.each([
    ["a generator", lines],
    ["an async generator", pages],
    ["a promise of a generator", async () => lines()],
    ["a generator of another realm", runInNewContext("(function* () {})")],
    ["an async generator of another realm", runInNewContext("(async function* () {})")],
  ])("fails in an AsyncJobQueue: %s", async (_, run) => {
    const runner = { runAsync: async <T>(each: AsyncJob<T>) => each.run(new AbortController().signal) };
    for (const options of [{}, { runner }]) {
      const queue = new AsyncJobQueue();
      queue.push(asyncJob("export", run));
      const report = await queue.drain(options);
      expect(report.completed).toEqual([]);
      expect(report.failed.map(({ error }) => error.message)).toEqual([
        'the job "export" returned a generator; read it inside the job',
      ]);
    }
  });

  it("fails in a JobQueue", () => {
    const queue = new JobQueue();
    queue.push(job("export", lines), job("pages", pages));
    const report = queue.runAll();
    expect(report.failed.map(({ jobName }) => jobName)).toEqual(["export", "pages"]);
  });

  it("is told apart from jobs with other results", async () => {
    const queue = new AsyncJobQueue();
    for (const result of [[], new Map().entries(), { next() {} }, "Generator", lines, null]) {
      queue.push(asyncJob("other", () => result));
    }
    expect((await queue.drain()).completed).toHaveLength(6);
  });
});
