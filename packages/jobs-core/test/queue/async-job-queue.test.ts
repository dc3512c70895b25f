import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { type AsyncJob, AsyncJobQueue, asyncJob, job } from "../../src/index.ts";
import { type Deferred, deferred, settled } from "../support/deferred.ts";

/** Jobs that run until the test ends them, and the names of those that have started. */
function heldJobs(...names: string[]): {
  jobs: AsyncJob[];
  started: string[];
  ends: Map<string, Deferred<void>>;
} {
  const started: string[] = [];
  const ends = new Map(names.map((name) => [name, deferred()]));
  const jobs = names.map((name) =>
    asyncJob(name, () => {
      started.push(name);
      return ends.get(name)?.promise as Promise<void>;
    }),
  );
  return { jobs, started, ends };
}

describe("AsyncJobQueue", () => {
  it("runs one job after the other unless told otherwise, sync jobs too", async () => {
    const { jobs, started, ends } = heldJobs("a", "b");
    const queue = new AsyncJobQueue();
    queue.push(
      ...jobs,
      job("c", () => 3),
    );
    const run = queue.runAll();
    await settled();
    expect(started).toEqual(["a"]);
    ends.get("a")?.resolve();
    await settled();
    expect(started).toEqual(["a", "b"]);
    ends.get("b")?.reject(new Error("b broke"));
    const report = await run;
    expect(report.completed).toEqual(["a", "c"]);
    expect(report.failed.map((failure) => failure.error.message)).toEqual(["b broke"]);
    expect(queue.size).toBe(3);
  });

  it("uses its concurrency and never exceeds it", async () => {
    const { jobs, started, ends } = heldJobs("a", "b", "c", "d");
    const queue = new AsyncJobQueue();
    queue.pushAll(jobs);
    const run = queue.runAll({ concurrency: 2 });
    await settled();
    expect(started).toEqual(["a", "b"]);
    ends.get("b")?.resolve();
    await settled();
    expect(started).toEqual(["a", "b", "c"]);
    for (const end of ends.values()) end.resolve();
    expect((await run).completed).toEqual(["b", "a", "c", "d"]);
  });

  it.each([1, 2, 10])(
    "runs all jobs in the context of the drain, wherever they were pushed: %d at a time",
    async (concurrency) => {
      const request = new AsyncLocalStorage<string>();
      const queue = new AsyncJobQueue();
      const seen: (string | undefined)[] = [];
      const push = (name: string, more: string[] = []): void => {
        const resize = asyncJob(name, async () => {
          seen.push(request.getStore());
          await settled();
          for (const each of more) request.run(`job ${name}`, () => push(each));
          seen.push(request.getStore());
        });
        request.run(`request of ${name}`, () => queue.push(resize));
      };
      push("a", ["pushed by a"]);
      const drained = request.run("drain", () => queue.drain({ concurrency }));
      push("b");
      await settled();
      push("c", ["pushed by c"]);
      push("d");
      await drained;
      expect(seen).toEqual(Array(12).fill("drain"));
    },
  );

  it("starts everything at once when the concurrency is Infinity", async () => {
    const { jobs, started, ends } = heldJobs("a", "b", "c");
    const queue = new AsyncJobQueue();
    queue.pushAll(jobs);
    const run = queue.drain({ concurrency: Number.POSITIVE_INFINITY });
    expect(started).toEqual(["a", "b", "c"]);
    expect(queue.size).toBe(0);
    for (const end of ends.values()) end.resolve();
    await run;
  });

  it("lets idle workers of a drain run jobs pushed meanwhile", async () => {
    const { jobs, started, ends } = heldJobs("a", "b", "c", "d");
    const [first, ...rest] = jobs as [AsyncJob, ...AsyncJob[]];
    const queue = new AsyncJobQueue();
    queue.push(first);
    const run = queue.drain({ concurrency: 3 });
    await settled();
    queue.push(...rest);
    expect(started).toEqual(["a"]);
    await settled();
    expect(started).toEqual(["a", "b", "c"]);
    for (const end of ends.values()) end.resolve();
    expect((await run).completed).toHaveLength(4);
    expect(queue.isEmpty).toBe(true);
  });

  it("runs each job once when drains overlap", async () => {
    const ran: number[] = [];
    const queue = new AsyncJobQueue();
    for (let i = 0; i < 100; i++) queue.push(asyncJob(`${i}`, async () => void ran.push(i)));
    const reports = await Promise.all([
      queue.drain({ concurrency: 3 }),
      queue.drain({ concurrency: 2 }),
      queue.drain(),
    ]);
    expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(reports.flatMap((report) => report.completed)).toHaveLength(100);
    expect(reports.every((report) => report.completed.length > 0)).toBe(true);
  });

  it("runAll ignores jobs pushed meanwhile, and runs its own after a clear", async () => {
    const { jobs, ends } = heldJobs("a", "b");
    const queue = new AsyncJobQueue();
    queue.pushAll(jobs);
    const run = queue.runAll();
    queue.clear();
    queue.push(job("later", () => {}));
    for (const end of ends.values()) end.resolve();
    expect((await run).completed).toEqual(["a", "b"]);
    expect(queue.size).toBe(1);
  });

  it("turns whatever a job throws into a failure, also before its first await", async () => {
    const queue = new AsyncJobQueue();
    queue.push(
      asyncJob("sync throw", () => {
        throw "text";
      }),
      asyncJob("undefined", () => Promise.reject(undefined)),
    );
    const report = await queue.runAll({ concurrency: 2 });
    expect(report.failed.map(({ error }) => [error.message, error.cause])).toEqual([
      ["text", "text"],
      ["the job threw undefined", undefined],
    ]);
  });

  it("hands jobs and the signal to its runner", async () => {
    const seen: [string, AbortSignal | undefined][] = [];
    const { signal } = new AbortController();
    const runner = {
      async runAsync<T>(given: AsyncJob<T>, options?: { signal?: AbortSignal | undefined }): Promise<T> {
        seen.push([given.name, options?.signal]);
        return given.run(options?.signal as AbortSignal);
      },
    };
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("a", async () => {}));
    await queue.runAll({ runner, signal });
    expect(seen).toEqual([["a", signal]]);
  });

  it.each([
    [{ concurrency: 0 }, RangeError, "got 0"],
    [{ concurrency: 1.5 }, RangeError, "got 1.5"],
    [{ concurrency: Number.NaN }, RangeError, "got NaN"],
    [{ concurrency: "2" as never }, TypeError, 'got "2"'],
    [{ runner: {} as never }, TypeError, "`runner.runAsync` to be a function"],
    [{ signal: {} as never }, TypeError, "`signal` to be an AbortSignal"],
  ])("refuses %o before anything runs", async (options, type, message) => {
    let runs = 0;
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("a", async () => void runs++));
    for (const call of [queue.runAll(options), queue.drain(options)]) {
      const error = await call.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(type);
      expect((error as Error).message).toContain(message);
    }
    expect([runs, queue.size]).toEqual([0, 1]);
  });

  it("accepts options that are undefined", async () => {
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("a", async () => {}));
    const report = await queue.runAll({ runner: undefined, concurrency: undefined, signal: undefined });
    expect(report.isSuccess).toBe(true);
  });

  it("refuses a value that is no job before it queues any", () => {
    const queue = new AsyncJobQueue();
    expect(() =>
      queue.push(
        job("a", () => {}),
        {} as never,
      ),
    ).toThrow("expected a job's `name` to be a non-empty string, got undefined");
    expect(queue.size).toBe(0);
  });
});
