import { asyncJob, type Job, JobError, JobQueue, job } from "@nidus/jobs-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  combineJobObservers,
  type DeclaredJobContext,
  type JobObserver,
  ObservedJobRunner,
} from "../../src/index.ts";
import { Recorder } from "../support/recorder.ts";
import { settled } from "../support/settled.ts";

/** Returns what a call threw or rejected with, in an object that distinguishes `undefined` from no error. */
async function thrownBy(call: () => unknown): Promise<{ thrown: unknown } | undefined> {
  try {
    await call();
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}

afterEach(() => void vi.useRealTimers());

describe("ObservedJobRunner.run", () => {
  it("returns what the job returns, and reports one start and one finish", () => {
    const recorder = new Recorder();
    const result = { made: "here" };
    expect(new ObservedJobRunner(recorder).run(job("make", () => result))).toBe(result);
    expect(recorder.story).toEqual(["started", "finished success"]);
    expect(recorder.heard.map(({ context }) => context.jobName)).toEqual(["make", "make"]);
    expect(recorder.heard[1]?.error).toBeUndefined();
  });

  it.each([
    ["an error", new TypeError("x")],
    ["a string", "x"],
    ["undefined", undefined],
    ["null", null],
  ])("rethrows the very error that the job threw: %s", async (_, value) => {
    const recorder = new Recorder();
    const failing = job("fail", () => {
      throw value;
    });
    expect(await thrownBy(() => new ObservedJobRunner(recorder).run(failing))).toEqual({ thrown: value });
    expect(recorder.story).toEqual(["started", "finished failure"]);
    expect(recorder.heard[1]?.error).toBeInstanceOf(JobError);
    expect(recorder.heard[1]?.error?.cause).toBe(value);
  });

  it("fails a job that returns a promise, and handles its rejection", async () => {
    class Forgetful implements Job {
      readonly name = "forgetful";
      async run(): Promise<void> {
        throw new Error("unheard");
      }
    }
    const recorder = new Recorder();
    const forgetful: Job = new Forgetful();
    expect(() => new ObservedJobRunner(recorder).run(forgetful)).toThrow(JobError);
    expect(recorder.story).toEqual(["started", "finished failure"]);
    await settled();
  });

  it("refuses a value that is no job, and tells no observer", () => {
    const recorder = new Recorder();
    const runner = new ObservedJobRunner(recorder);
    for (const bad of [undefined, null, {}, { name: "", run() {} }, { name: "x" }]) {
      expect(() => runner.run(bad as never)).toThrow(TypeError);
      expect(() => runner.run(bad as never)).toThrow(
        /^expected a job's `name` to be a non-empty string|`run`/,
      );
    }
    expect(recorder.heard).toEqual([]);
  });

  it("runs jobs without any observer", () => {
    expect(new ObservedJobRunner().run(job("quiet", () => 1))).toBe(1);
  });
});

describe("ObservedJobRunner.runAsync", () => {
  it("resolves to the job's result and passes the signal to the job", async () => {
    const recorder = new Recorder();
    const { signal } = new AbortController();
    const runner = new ObservedJobRunner(recorder);
    expect(
      await runner.runAsync(
        asyncJob("echo", async (given) => given),
        { signal },
      ),
    ).toBe(signal);
    expect(recorder.story).toEqual(["started", "finished success"]);
  });

  it("runs sync jobs too", async () => {
    expect(await new ObservedJobRunner().runAsync(job("sync", () => 5))).toBe(5);
  });

  it("rejects with the very error that the job threw, before or after an await", async () => {
    for (const value of [new Error("x"), undefined]) {
      const recorder = new Recorder();
      const runner = new ObservedJobRunner(recorder);
      const early = asyncJob("early", () => {
        throw value;
      });
      const late = asyncJob("late", async () => {
        await settled();
        throw value;
      });
      expect(await thrownBy(() => runner.runAsync(early))).toEqual({ thrown: value });
      expect(await thrownBy(() => runner.runAsync(late))).toEqual({ thrown: value });
      expect(recorder.story).toEqual(["started", "finished failure", "started", "finished failure"]);
    }
  });

  it("distinguishes a cancelled run from a failed one", async () => {
    const end = async (
      reason: unknown,
      error: (signal: AbortSignal) => unknown,
    ): Promise<string | undefined> => {
      const recorder = new Recorder();
      const aborting = new AbortController();
      const waiting = asyncJob("wait", (signal) => {
        return new Promise<void>((_, reject) =>
          signal.addEventListener("abort", () => reject(error(signal))),
        );
      });
      const run = new ObservedJobRunner(recorder).runAsync(waiting, { signal: aborting.signal });
      aborting.abort(reason);
      await thrownBy(() => run);
      return recorder.story[1];
    };
    expect(await end(undefined, ({ reason }) => reason)).toBe("finished cancelled");
    expect(await end(undefined, () => new DOMException("gone", "AbortError"))).toBe("finished cancelled");
    expect(await end(undefined, () => new Error("broke"))).toBe("finished failure");
    expect(await end(new DOMException("late", "TimeoutError"), ({ reason }) => reason)).toBe(
      "finished failure",
    );
  });

  it("measures the duration of the whole run, including waits", async () => {
    vi.useFakeTimers();
    const recorder = new Recorder();
    const running = new ObservedJobRunner(recorder).runAsync(
      asyncJob("wait", () => new Promise((resolve) => setTimeout(resolve, 20))),
    );
    await vi.advanceTimersByTimeAsync(20);
    await running;
    expect(recorder.heard[1]?.context).toMatchObject({ durationMs: 20 });
  });

  it("rejects a value that is no job or no signal, and runs nothing", async () => {
    const recorder = new Recorder();
    const runner = new ObservedJobRunner(recorder);
    await expect(runner.runAsync({} as never)).rejects.toThrow(TypeError);
    await expect(
      runner.runAsync(
        job("x", () => {}),
        { signal: {} as never },
      ),
    ).rejects.toThrow("an AbortSignal");
    expect(recorder.heard).toEqual([]);
  });
});

describe("a runner's own settings", () => {
  it("adds context to a new runner and leaves the first unchanged", () => {
    const recorder = new Recorder();
    const plain = new ObservedJobRunner(recorder);
    const withRequest = plain.context("request_id", "req-123");
    const withMore = withRequest.context({ retry: true, shard: 3, request_id: "req-124" });
    for (const runner of [plain, withRequest, withMore]) runner.run(job("x", () => {}));
    expect(
      recorder.heard.filter(({ hook }) => hook === "started").map(({ context }) => context.attributes),
    ).toEqual([{}, { request_id: "req-123" }, { request_id: "req-124", retry: true, shard: 3 }]);
  });

  it("treats keys such as __proto__ as data, and copies the attributes", () => {
    const recorder = new Recorder();
    const given = { a: 1, ["__proto__"]: "data", constructor: "data" };
    const runner = new ObservedJobRunner(recorder).context(given).context("__proto__", "newer");
    given.a = 2;
    runner.run(job("x", () => {}));
    const attributes = recorder.heard[0]?.context.attributes ?? {};
    expect(Object.entries(attributes)).toEqual([
      ["a", 1],
      ["__proto__", "newer"],
      ["constructor", "data"],
    ]);
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    expect(Object.isFrozen(attributes)).toBe(true);
  });

  it("refuses invalid attributes, run id generators and observers", () => {
    const runner = new ObservedJobRunner();
    expect(() => runner.context("", "x")).toThrow(TypeError);
    expect(() => runner.context("key", undefined as never)).toThrow(
      'the attribute "key" to be a string, number or boolean',
    );
    expect(() => runner.context({ key: {} as never })).toThrow(TypeError);
    expect(() => runner.context(null as never)).toThrow(TypeError);
    expect(() => runner.runIdGenerator("id" as never)).toThrow(TypeError);
    expect(() => new ObservedJobRunner(7 as never)).toThrow("expected an observer");
    expect(() => new ObservedJobRunner([{ onJobStarted: 1 as never }])).toThrow(
      "expected onJobStarted to be a function, got 1",
    );
    for (const hook of [false, 0, "", null]) {
      expect(() => new ObservedJobRunner({ onJobStarted: hook as never })).toThrow(
        "expected onJobStarted to be a function",
      );
    }
    expect(() => new ObservedJobRunner({ onJobStarted: undefined as never })).not.toThrow();
    expect(() => new ObservedJobRunner({}, { onObserverError: 1 as never })).toThrow(TypeError);
    expect(() => new ObservedJobRunner({}, { onError() {} } as never)).toThrow('unknown option "onError"');
  });

  it("gives back the job's own error, although the signal can no longer be read", async () => {
    let isHostile = false;
    const read = (value: unknown) => () => {
      if (isHostile) throw new Error("hands off");
      return value;
    };
    const signal = Object.defineProperties(new EventTarget(), {
      aborted: { get: read(false) },
      reason: { get: read(undefined) },
    }) as AbortSignal;
    const error = new Error("the job's own");
    const recorder = new Recorder();
    const running = new ObservedJobRunner(recorder).runAsync(
      asyncJob("x", async () => {
        isHostile = true;
        throw error;
      }),
      { signal },
    );
    await expect(running).rejects.toBe(error);
    expect(recorder.heard.map(({ status }) => status)).toEqual([undefined, "failure"]);
  });

  it("refuses unknown options of a run, and runs nothing", async () => {
    const [recorder, run] = [new Recorder(), vi.fn()];
    const running = new ObservedJobRunner(recorder).runAsync(asyncJob("x", run), { sginal: 1 } as never);
    await expect(running).rejects.toThrow(
      'unknown option "sginal" in the options: expected `signal`, `delivery`',
    );
    const { signal } = new AbortController();
    const withSignal = new ObservedJobRunner(recorder).runAsync(asyncJob("x", run), signal as never);
    await expect(withSignal).rejects.toThrow("unknown option");
    expect(run).not.toHaveBeenCalled();
    expect(recorder.story).toEqual([]);
  });

  it("runs the jobs of a queue", () => {
    const recorder = new Recorder();
    const queue = new JobQueue();
    queue.push(
      job("a", () => {}),
      job("b", () => {}),
    );
    expect(queue.runAll({ runner: new ObservedJobRunner(recorder) }).completed).toEqual(["a", "b"]);
    expect(recorder.heard.map(({ context }) => context.jobName)).toEqual(["a", "a", "b", "b"]);
  });

  it("tells observers of declared jobs, although one of them throws", async () => {
    const [told, failed] = [[] as unknown[], [] as unknown[]];
    const broken: JobObserver = {
      onJobDeclared() {
        throw new Error("broken");
      },
    };
    const observer: JobObserver = { onJobDeclared: (context) => void told.push(context) };
    const runner = new ObservedJobRunner(combineJobObservers(broken, observer, {}), {
      onObserverError: (error) => failed.push((error as Error).message),
    });
    runner.declare(
      job("send_digest", () => {}),
      { name: "reindex" },
    );
    runner.declare({ name: "send_digest", engine: "memory", queue: "q", options: { maxAttempts: 3 } });
    expect(told).toEqual([
      { jobName: "send_digest" },
      { jobName: "reindex" },
      { jobName: "send_digest", engine: "memory", queue: "q", options: { maxAttempts: 3 } },
    ]);
    await settled();
    expect(failed).toEqual(["broken", "broken", "broken"]);
  });

  it("refuses to declare a job without a name, and declares none then", () => {
    const told: unknown[] = [];
    const runner = new ObservedJobRunner({ onJobDeclared: (context) => void told.push(context) });
    for (const bad of [{ name: "" }, { name: 7 }, {}, null, undefined]) {
      expect(() => runner.declare({ name: "good" }, bad as never)).toThrow("expected a job's `name`");
    }
    expect(told).toEqual([]);
  });

  it("tells observers the objectives of declared jobs, frozen and copied", () => {
    const told: DeclaredJobContext[] = [];
    const runner = new ObservedJobRunner({ onJobDeclared: (context) => void told.push(context) });
    const objectives = { succeedEveryMs: 60_000, finishWithinMs: undefined };
    runner.declare({ name: "digest", objectives });
    objectives.succeedEveryMs = 1;
    expect(told.map((context) => context.objectives)).toEqual([{ succeedEveryMs: 60_000 }]);
    expect(Object.isFrozen(told[0]?.objectives)).toBe(true);
  });

  it.each([
    [
      { succeedEveryMs: 0 },
      RangeError,
      "expected `objectives.succeedEveryMs` to be a whole number from 1, got 0",
    ],
    [{ startWithinMs: 1.5 }, RangeError, "`objectives.startWithinMs`"],
    [{ finishWithinMs: Number.NaN }, RangeError, "`objectives.finishWithinMs`"],
    [{ finishWithinMs: "1 h" }, TypeError, "`objectives.finishWithinMs`"],
    [{ finishWithin: 1 }, TypeError, 'unknown option "finishWithin" in `objectives`'],
    [null, TypeError, "expected `objectives` to be an object"],
    [7, TypeError, "expected `objectives` to be an object"],
  ])("refuses the objectives %j, and declares no job then", (objectives, type, message) => {
    const told: unknown[] = [];
    const runner = new ObservedJobRunner({ onJobDeclared: (context) => void told.push(context) });
    const declare = () =>
      runner.declare({ name: "good" }, { name: "digest", objectives: objectives as never });
    expect(declare).toThrow(type);
    expect(declare).toThrow(message);
    expect(told).toEqual([]);
  });

  it("tells observers what engines enqueue and settle", () => {
    const told: unknown[] = [];
    const runner = new ObservedJobRunner(
      [
        {
          onJobEnqueued: () => {
            throw new Error("broken");
          },
        },
        {
          onJobEnqueued: (context) => void told.push(context),
          onJobSettled: (context) => void told.push(context),
        },
      ],
      { onObserverError: () => {} },
    );
    const enqueued = {
      jobName: "a",
      engine: "e",
      queue: "q",
      count: 1,
      correlationId: undefined,
      carrier: {},
    };
    const delivery = {
      engine: "e",
      queue: "q",
      jobId: "1",
      attempt: 1,
      maxAttempts: 5,
      enqueuedAt: new Date(),
      runAt: new Date(),
      correlationId: undefined,
      carrier: {},
    };
    const settledJob = { jobName: "a", delivery, outcome: "retried", error: undefined } as const;
    runner.enqueued(enqueued);
    runner.settled(settledJob);
    expect(told).toEqual([enqueued, settledJob]);
  });
});
