import { AsyncJobQueue } from "@nidus/jobs-core";
import { currentJobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import * as v from "valibot";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  type DurableJob,
  defineJob,
  type JobHandlerContext,
  PayloadError,
  PermanentJobError,
  UnsupportedError,
} from "../../src/index.ts";
import { aborted } from "../support/deferred.ts";
import { Recorder } from "../support/recorder.ts";

/** Numbers written as text: what is stored differs from what handlers get. */
const numberFromText: StandardSchemaV1<string, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate(value) {
      const number = Number(value);
      return Number.isNaN(number) ? { issues: [{ message: "no number" }] } : { value: number };
    },
  },
};

function context(signal: AbortSignal = new AbortController().signal): JobHandlerContext {
  return {
    signal,
    delivery: undefined,
    progress() {},
    snooze() {
      throw new Error("no engine");
    },
  };
}

/** Returns the error that the call throws or rejects with. */
async function errorOf(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("defineJob", () => {
  it("has five attempts, a backoff of 250 ms up to 30 s and no time limit unless told otherwise", () => {
    const job = defineJob({ name: "a", run() {} });
    expect(job).toMatchObject({ name: "a", maxAttempts: 5, backoff: { baseMs: 250, maxMs: 30_000 } });
    expect(job.timeoutMs).toBeUndefined();
  });

  it("keeps what it is told", () => {
    const backoff = { baseMs: 1, maxMs: 1 };
    const job = defineJob({ name: "a", maxAttempts: 1, backoff, timeoutMs: 2 ** 31 - 1, run() {} });
    backoff.maxMs = 9;
    expect(job).toMatchObject({ maxAttempts: 1, backoff: { baseMs: 1, maxMs: 1 }, timeoutMs: 2_147_483_647 });
  });

  it("keeps a frozen copy of its objectives", () => {
    const objectives = { succeedEveryMs: 60_000 };
    const job = defineJob({ name: "a", objectives, run() {} });
    objectives.succeedEveryMs = 1;
    expect(job.objectives).toEqual({ succeedEveryMs: 60_000 });
    expect(Object.isFrozen(job.objectives)).toBe(true);
    expect(defineJob({ name: "a", run() {} }).objectives).toBeUndefined();
  });

  const run = (): void => {};
  it.each<[string, unknown, string, typeof TypeError]>([
    ["no definition", undefined, "a job's `name`", TypeError],
    ["no name", { run }, "a job's `name`", TypeError],
    ["an empty name", { name: "", run }, "a job's `name`", TypeError],
    ["a name that is no string", { name: 7, run }, "a job's `name`", TypeError],
    ["no run", { name: "a" }, '`run` of "a"', TypeError],
    ["no attempts", { name: "a", run, maxAttempts: 0 }, "`maxAttempts`", RangeError],
    ["attempts in text", { name: "a", run, maxAttempts: "3" }, "`maxAttempts`", TypeError],
    ["endless attempts", { name: "a", run, maxAttempts: Infinity }, "`maxAttempts`", RangeError],
    ["no backoff", { name: "a", run, backoff: null }, "`backoff`", TypeError],
    ["half a backoff", { name: "a", run, backoff: { baseMs: 1 } }, "`backoff.maxMs`", TypeError],
    ["a base of 0", { name: "a", run, backoff: { baseMs: 0, maxMs: 1 } }, "`backoff.baseMs`", RangeError],
    ["a maximum below", { name: "a", run, backoff: { baseMs: 2, maxMs: 1 } }, "`backoff.maxMs`", RangeError],
    [
      "a wait too long",
      { name: "a", run, backoff: { baseMs: 1, maxMs: 2 ** 31 } },
      "`backoff.maxMs`",
      RangeError,
    ],
    ["no time at all", { name: "a", run, timeoutMs: 0 }, "`timeoutMs`", RangeError],
    ["half a millisecond", { name: "a", run, timeoutMs: 0.5 }, "`timeoutMs`", RangeError],
    ["more than timers hold", { name: "a", run, timeoutMs: 2 ** 31 }, "`timeoutMs`", RangeError],
    ["no objectives", { name: "a", run, objectives: null }, "`objectives`", TypeError],
    [
      "an objective of 0",
      { name: "a", run, objectives: { finishWithinMs: 0 } },
      "`objectives.finishWithinMs`",
      RangeError,
    ],
    ["a schema that is none", { name: "a", run, schema: {} }, "`schema`", TypeError],
    ["null for a schema", { name: "a", run, schema: null }, "`schema`", TypeError],
  ])("refuses %s", async (_, definition, what, ErrorClass) => {
    const error = await errorOf(() => (defineJob as (definition: unknown) => unknown)(definition));
    expect(error).toBeInstanceOf(ErrorClass);
    expect(error.message).toContain(`expected ${what}`);
  });

  it("takes a function with the mark of a Standard Schema, as arktype's are", async () => {
    const schema = Object.assign(() => {}, numberFromText);
    expect(await defineJob({ name: "a", schema, run: (n) => n }).perform("7", context())).toBe(7);
  });
});

describe("a durable job with a schema", () => {
  const libraries: [string, StandardSchemaV1<{ to: string; at: string }, { to: string; at: Date }>][] = [
    ["zod", z.object({ to: z.email(), at: z.iso.datetime().transform((text) => new Date(text)) })],
    [
      "zod, asynchronously",
      z.object({
        to: z.email().refine(async (to) => !to.startsWith("nobody")),
        at: z.iso.datetime().transform(async (text) => new Date(text)),
      }),
    ],
    [
      "valibot",
      v.object({
        to: v.pipe(v.string(), v.email()),
        at: v.pipe(
          v.string(),
          v.isoTimestamp(),
          v.transform((text) => new Date(text)),
        ),
      }),
    ],
    [
      "valibot, asynchronously",
      v.objectAsync({
        to: v.pipeAsync(
          v.string(),
          v.email(),
          v.checkAsync(async (to) => !to.startsWith("nobody")),
        ),
        at: v.pipeAsync(
          v.string(),
          v.isoTimestamp(),
          v.transformAsync(async (text) => new Date(text)),
        ),
      }),
    ],
  ];
  const payload = { to: "ann@example.org", at: "2024-01-01T00:00:00.000Z" };

  it.each(libraries)("stores its input and runs with its output (%s)", async (_, schema) => {
    const seen: unknown[] = [];
    const job = defineJob({ name: "remind", schema, run: (reminder) => void seen.push(reminder) });
    const text = (await job.encode(payload)) as string;
    expect(JSON.parse(text)).toEqual(payload);
    await job.perform(JSON.parse(text), context());
    expect(seen).toEqual([{ to: payload.to, at: new Date(payload.at) }]);
  });

  it.each(libraries)("refuses what does not fit, with name, path and problem (%s)", async (_, schema) => {
    const job = defineJob({ name: "remind", schema, run() {} });
    const error = await errorOf(() => job.encode({ ...payload, to: "nowhere" }));
    expect(PayloadError.isInstance(error)).toBe(true);
    expect(error.message).toMatch(/the schema of "remind".*to: .*email/i);
  });

  it.each(libraries)("fails for good on a stored payload that fits no longer (%s)", async (_, schema) => {
    const run = vi.fn();
    const job = defineJob({ name: "remind", schema, run });
    const error = await errorOf(() => job.perform({ to: payload.to }, context()));
    expect(PermanentJobError.isInstance(error)).toBe(true);
    expect(error.message).toMatch(/^the stored payload does not fit the schema: at: /);
    expect(run).not.toHaveBeenCalled();
  });

  it("refuses what JSON cannot carry even if the schema takes it", async () => {
    const job = defineJob({ name: "a", schema: z.object({ at: z.date() }), run() {} });
    const error = await errorOf(() => job.encode({ at: new Date() }));
    expect(error.message).toContain("expected `payload.at` to be JSON");
  });

  it("rejects with what a broken schema throws", async () => {
    const broken = new Error("the schema broke");
    const schema: StandardSchemaV1 = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate() {
          throw broken;
        },
      },
    };
    const job = defineJob({ name: "a", schema, run() {} });
    expect(await errorOf(() => job.encode(1))).toBe(broken);
    expect(await errorOf(() => job.perform(1, context()))).toBe(broken);
  });

  it("refuses at enqueue what its schema would refuse of the stored text at delivery", async () => {
    // The key must be there for valibot, and JSON drops it.
    const schema = v.object({ cc: v.undefinedable(v.string()) });
    const job = defineJob({ name: "a", schema, run() {} });
    const text = await job.encode({ cc: undefined }).catch((error: unknown) => {
      expect(PayloadError.isInstance(error)).toBe(true);
      return undefined;
    });
    if (text !== undefined) await job.perform(JSON.parse(text), context());
  });

  it("stores the payload as it was at the call, whatever the schema or the caller do to it", async () => {
    const schema: StandardSchemaV1<{ n: number }> = {
      "~standard": {
        version: 1,
        vendor: "test",
        async validate(value) {
          (value as { n: number }).n = 2;
          return { value: value as { n: number } };
        },
      },
    };
    const mine = { n: 1 };
    const encoding = defineJob({ name: "a", schema, run() {} }).encode(mine);
    mine.n = 3;
    expect(await encoding).toBe('{"n":1}');
  });
});

describe("a durable job's handler", () => {
  it("is called as a method of its definition, directly and through perform", async () => {
    const job = defineJob<string>({
      name: "a",
      run(this: { name: string }, payload) {
        return `${this.name} ${payload}`;
      },
    });
    expect(job.handle("x", context())).toBe("a x");
    expect(await job.perform("x", context())).toBe("a x");
  });

  it("gets the delivery and the signal it was given", async () => {
    const given = context();
    const seen: JobHandlerContext[] = [];
    await defineJob({ name: "a", run: (_, it) => void seen.push(it) }).perform(undefined, given);
    expect(seen).toEqual([given]);
    expect(seen[0]?.signal).toBe(given.signal);
  });

  it("may throw at once, reject, or return what has a then", async () => {
    const failure = new Error("no");
    const throwing = defineJob({
      name: "a",
      run() {
        throw failure;
      },
    });
    expect(await errorOf(() => throwing.perform(undefined, context()))).toBe(failure);
    const rejecting = defineJob({ name: "a", timeoutMs: 1_000, run: () => Promise.reject(failure) });
    expect(await errorOf(() => rejecting.perform(undefined, context()))).toBe(failure);
    const thenable = defineJob({
      name: "a",
      // biome-ignore lint/suspicious/noThenProperty: handlers return query builders and the like
      run: () => ({ then: (resolve: (value: string) => void) => resolve("done") }),
    });
    expect(await thenable.perform(undefined, context())).toBe("done");
  });
});

describe("a time limit", () => {
  afterEach(() => void vi.useRealTimers());

  const waiting = (timeoutMs: number): DurableJob<void> =>
    defineJob({
      name: "slow",
      timeoutMs,
      async run(_, { signal }) {
        await aborted(signal);
        throw signal.reason;
      },
    });

  it("aborts the handler's signal with a TimeoutError", async () => {
    vi.useFakeTimers();
    const outcome = errorOf(() => waiting(1_000).perform(undefined, context()));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toMatchObject({
      name: "TimeoutError",
      message: "the job took longer than 1000 ms",
    });
  });

  it("holds until a handler that ignores its signal has settled, whose end counts", async () => {
    vi.useFakeTimers();
    let isEnded = false;
    const job = defineJob({
      name: "deaf",
      timeoutMs: 10,
      run: () => new Promise((resolve) => setTimeout(() => resolve("late"), 500)),
    });
    const outcome = job.perform(undefined, context()).finally(() => {
      isEnded = true;
    });
    await vi.advanceTimersByTimeAsync(499);
    expect(isEnded).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toBe("late");
  });

  it("leaves neither timer nor listener behind", async () => {
    vi.useFakeTimers();
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, "removeEventListener");
    const add = vi.spyOn(signal, "addEventListener");
    await defineJob({ name: "quick", timeoutMs: 1_000, run() {} }).perform(undefined, context(signal));
    expect(vi.getTimerCount()).toBe(0);
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
  });

  it("passes on an abort from outside, with its reason, also one that came before", async () => {
    const reason = new Error("stop it");
    const controller = new AbortController();
    const outcome = errorOf(() => waiting(60_000).perform(undefined, context(controller.signal)));
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    expect(await errorOf(() => waiting(60_000).perform(undefined, context(AbortSignal.abort(reason))))).toBe(
      reason,
    );
  });

  it("is a failure in a queue, not a cancellation", async () => {
    vi.useFakeTimers();
    const queue = new AsyncJobQueue();
    queue.push(waiting(100).with());
    const draining = queue.drain();
    await vi.advanceTimersByTimeAsync(100);
    const report = await draining;
    expect(report.failed.map(({ error }) => error.message)).toEqual(["the job took longer than 100 ms"]);
    expect(report.cancelled).toEqual([]);
  });
});

describe("a durable job in an AsyncJobQueue", () => {
  it("runs with its payload under its name, observed like any job, without a delivery", async () => {
    const seen: unknown[] = [];
    const job = defineJob<{ to: string }>({
      name: "send_mail",
      run: (payload, { delivery }) => void seen.push(payload, delivery),
    });
    const recorder = new Recorder();
    const queue = new AsyncJobQueue();
    queue.push(job.with({ to: "ann" }));
    const report = await queue.drain({ runner: new ObservedJobRunner(recorder) });
    expect(report.completed).toEqual(["send_mail"]);
    expect(seen).toEqual([{ to: "ann" }, undefined]);
    expect(recorder.started.map(({ jobName, delivery }) => [jobName, delivery])).toEqual([
      ["send_mail", undefined],
    ]);
  });

  it("runs with a copy: neither the caller nor an earlier run changes it", async () => {
    const seen: unknown[] = [];
    const job = defineJob<{ list: number[] }>({
      name: "a",
      run(payload) {
        seen.push(structuredClone(payload));
        payload.list.push(0);
      },
    });
    const payload = { list: [1] };
    const queue = new AsyncJobQueue();
    queue.push(job.with(payload));
    payload.list.push(2);
    await queue.runAll();
    await queue.runAll();
    expect(seen).toEqual([{ list: [1] }, { list: [1] }]);
  });

  it("refuses a payload at the call", async () => {
    const job = defineJob({ name: "a", schema: z.object({ n: z.number() }), run() {} });
    for (const payload of [{ n: "1" }, { n: 1n }] as unknown as { n: number }[]) {
      expect(PayloadError.isInstance(await errorOf(() => job.with(payload)))).toBe(true);
    }
  });

  it("lets a schema that is asynchronous speak when it runs, and rejects nothing unheard before", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const rejecting: StandardSchemaV1<number> = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: () => Promise.reject(new Error("the database of names is away")),
        },
      };
      const job = defineJob({ name: "a", schema: rejecting, run() {} });
      const refusing = defineJob({
        name: "b",
        schema: z.number().refine(async () => false, "never"),
        run() {},
      });
      const queue = new AsyncJobQueue();
      queue.push(job.with(1), refusing.with(1));
      await new Promise((resolve) => setImmediate(resolve));
      const report = await queue.drain();
      expect(report.failed.map(({ error }) => error.message)).toEqual([
        "the database of names is away",
        "the stored payload does not fit the schema: never",
      ]);
      expect(PermanentJobError.isInstance(report.failed[1]?.error)).toBe(true);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });

  it.each([undefined, 60_000])(
    "hears of the queue's signal and is cancelled by it (timeoutMs %s)",
    async (timeoutMs) => {
      const job = defineJob({
        name: "slow",
        timeoutMs,
        async run(_, { signal }) {
          await aborted(signal);
          signal.throwIfAborted();
        },
      });
      const controller = new AbortController();
      const recorder = new Recorder();
      const queue = new AsyncJobQueue();
      queue.push(job.with());
      const draining = queue.drain({
        signal: controller.signal,
        runner: new ObservedJobRunner(recorder),
      });
      controller.abort();
      expect((await draining).cancelled).toEqual(["slow"]);
      expect(recorder.finished).toEqual(["cancelled"]);
    },
  );

  it("reports progress to observers, and refuses wrong reports", async () => {
    const job = defineJob({
      name: "resize",
      run(_, { progress }) {
        progress(0.5, "half");
        progress(2);
      },
    });
    const told: unknown[] = [];
    const observer = { onJobProgressed: (_: unknown, progress: unknown) => told.push(progress) };
    const runner = new ObservedJobRunner([currentJobObserver(), observer]);
    const queue = new AsyncJobQueue();
    queue.push(job.with());
    const { failed } = await queue.drain({ runner });
    expect(told).toEqual([{ fraction: 0.5, note: "half" }]);
    expect(failed.map(({ error }) => error.cause)).toEqual([expect.any(RangeError)]);
  });

  it("cannot snooze", async () => {
    const job = defineJob({ name: "later", run: (_, { snooze }) => snooze(1_000) });
    const queue = new AsyncJobQueue();
    queue.push(job.with());
    const { failed } = await queue.drain();
    expect(failed.map(({ error }) => UnsupportedError.isInstance(error.cause))).toEqual([true]);
  });
});
