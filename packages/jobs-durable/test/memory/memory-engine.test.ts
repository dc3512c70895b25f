import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  defineJob,
  type EnqueueOptions,
  type JobEngine,
  type MemoryEngineOptions,
  memoryEngine,
  PayloadError,
  PermanentJobError,
  UnsupportedError,
} from "../../src/index.ts";
import { aborted } from "../support/deferred.ts";
import { Recorder } from "../support/recorder.ts";

// Fake timers do not reach this module of Node's.
vi.mock("node:timers/promises", () => import("../support/fake-pause.ts"));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function engineWith(
  options: Partial<MemoryEngineOptions> = {},
  observer: JobObserver = new Recorder(),
): JobEngine {
  return memoryEngine({ runner: new ObservedJobRunner(observer), ...options });
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

async function close(engine: JobEngine): Promise<void> {
  const closing = engine.close();
  await vi.advanceTimersByTimeAsync(100);
  await closing;
}

describe("memoryEngine", () => {
  it("says what it can do, and refuses what it cannot", async () => {
    const engine = engineWith();
    expect(engine.name).toBe("memory");
    expect(engine.capabilities).toEqual({
      persistence: false,
      schedules: true,
      scheduleKeys: true,
      intervals: true,
      transactions: false,
      priorities: true,
      uniqueKeys: true,
      nullCharacters: true,
      listing: true,
      results: true,
      progress: true,
      snoozing: true,
    });
    const job = defineJob({ name: "a", run() {} });
    const db = { db: {} } as EnqueueOptions;
    const error = await engine.enqueue(job, undefined, db).catch((thrown: unknown) => thrown);
    expect(UnsupportedError.isInstance(error)).toBe(true);
  });

  it.each<[string, object]>([
    ["`retainSucceededMs`", { retainSucceededMs: -1 }],
    ["`retainSucceededMs`", { retainSucceededMs: Number.NaN }],
    ["`retainDeadLettersMs`", { retainDeadLettersMs: "a day" }],
  ])("refuses a wrong %s: %o", (what, options) => {
    expect(() => engineWith(options)).toThrow(`expected ${what} to be`);
  });

  it("shares a worker between its names in turns, however long the backlog of one is", async () => {
    const engine = engineWith();
    const seen: string[] = [];
    const [often, seldom] = ["often", "seldom"].map((name) =>
      defineJob({ name, run: () => void seen.push(name) }),
    );
    if (often === undefined || seldom === undefined) throw new Error("there are two");
    await engine.enqueueMany(often, Array(5).fill(undefined));
    await engine.enqueueMany(seldom, Array(2).fill(undefined));
    await engine.work({ jobs: [often, seldom] });
    await settled();
    expect(seen).toEqual(["often", "seldom", "often", "seldom", "often", "often", "often"]);
    await engine.close();
  });

  it("answers nothing once it is closed, not even about ids that no job has", async () => {
    const engine = engineWith();
    await engine.close();
    await expect(engine.job("\0")).rejects.toThrow("closed");
    await expect(engine.reschedule("\0", new Date())).rejects.toThrow("closed");
  });

  it("gives copies out: a change to one changes nothing that is stored", async () => {
    const engine = engineWith();
    const fails = defineJob({
      name: "fails",
      maxAttempts: 1,
      run(_, { progress }) {
        progress(0.5, "half");
        throw new Error("no");
      },
    });
    const { id } = await engine.enqueue(fails);
    await engine.work({ jobs: [fails] });
    await settled();
    const before = await engine.job(id);
    const changed = (await engine.job(id)) as unknown as {
      errors: { at: Date }[];
      progress: { fraction: number };
    };
    changed.errors[0]?.at.setTime(0);
    changed.errors.pop();
    changed.progress.fraction = 1;
    expect(await engine.job(id)).toEqual(before);
    expect(before?.errors).toHaveLength(1);
    await engine.close();
  });

  it("runs what is enqueued, in order, at the moment it is for", async () => {
    const seen: string[] = [];
    const job = defineJob<string>({ name: "a", run: (payload) => void seen.push(payload) });
    const engine = engineWith();
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, "later", { runAt: new Date(Date.now() + 60_000) });
    await engine.enqueueMany(job, ["first", "second"]);
    await settled();
    expect(seen).toEqual(["first", "second"]);
    expect(await engine.stats()).toMatchObject({ scheduled: 1, waiting: 0, succeeded: 2 });
    await vi.advanceTimersByTimeAsync(59_990);
    expect(seen).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(10);
    expect(seen).toEqual(["first", "second", "later"]);
    await close(engine);
  });

  it("leaves what is for the far future alone, and costs next to nothing meanwhile", async () => {
    const run = vi.fn();
    const job = defineJob({ name: "a", run });
    const engine = engineWith();
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, undefined, { runAt: new Date(Date.UTC(9999, 11, 31, 23, 59, 59, 999)) });
    await engine.enqueue(job, undefined, { runAt: new Date(Date.now() + 2 ** 31 + 1_000) });
    const timers = vi.spyOn(globalThis, "setTimeout");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).not.toHaveBeenCalled();
    expect(timers.mock.calls.length).toBeLessThan(20);
    await close(engine);
    timers.mockRestore();
  });

  it("leaves names that a worker does not know to another that does", async () => {
    const seen: string[] = [];
    const run = (payload: string): void => void seen.push(payload);
    const known = defineJob<string>({ name: "known", run });
    const unknown = defineJob<string>({ name: "unknown", run });
    const engine = engineWith();
    await engine.work({ jobs: [known] });
    await engine.enqueue(unknown, "u");
    await engine.enqueue(known, "k");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual(["k"]);
    expect((await engine.stats()).byName.unknown).toMatchObject({ waiting: 1 });
    await engine.work({ jobs: [unknown] });
    await settled();
    expect(seen).toEqual(["k", "u"]);
    await close(engine);
  });

  it("takes names that are called like parts of Object, and very long ones up to 512 characters", async () => {
    const seen: string[] = [];
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "x".repeat(512)];
    const jobs = names.map((name) => defineJob<string>({ name, run: (payload) => void seen.push(payload) }));
    const engine = engineWith();
    await engine.work({ jobs, concurrency: 2 });
    for (const job of jobs) await engine.enqueue(job, job.name);
    await settled();
    expect(seen).toEqual(names);
    expect(Object.keys((await engine.stats()).byName)).toEqual(names);
    await close(engine);
  });

  it("gives every attempt a payload of its own", async () => {
    const seen: unknown[] = [];
    const job = defineJob<{ list: number[]; proto: unknown }>({
      name: "a",
      maxAttempts: 2,
      run(payload) {
        seen.push(structuredClone(payload));
        payload.list.push(2);
        throw new Error("again");
      },
    });
    const engine = engineWith();
    await engine.work({ jobs: [job] });
    const proto = JSON.parse('{"__proto__":{"polluted":true}}') as unknown;
    const payload = { list: [1], proto };
    const enqueuing = engine.enqueue(job, payload);
    payload.list.push(9);
    await enqueuing;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen).toEqual([
      { list: [1], proto },
      { list: [1], proto },
    ]);
    const [letter] = await engine.deadLetters();
    (letter as unknown as { payload: { list: number[] } }).payload.list.push(3);
    expect((await engine.deadLetters())[0]?.payload).toEqual({ list: [1], proto });
    await close(engine);
  });

  it("loses no job to headers that an observer wrote and that cannot be copied", async () => {
    const run = vi.fn();
    const job = defineJob({ name: "a", run });
    const engine = engineWith(
      { onError: () => {} },
      {
        onJobEnqueued({ carrier }) {
          Object.assign(carrier, { callback: () => {} });
        },
      },
    );
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, undefined);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(await engine.stats()).toMatchObject({ running: 0, succeeded: 1 });
    await close(engine);
  });

  it("runs no more jobs at a time than its concurrency, over all names", async () => {
    let running = 0;
    let mostRunning = 0;
    const run = async (): Promise<void> => {
      mostRunning = Math.max(mostRunning, ++running);
      await new Promise((resolve) => setTimeout(resolve, 10));
      running--;
    };
    const jobs = ["a", "b", "c"].map((name) => defineJob({ name, run }));
    const engine = engineWith();
    await engine.work({ jobs, concurrency: 4 });
    for (const job of jobs) await engine.enqueueMany(job, Array(20).fill(undefined));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await engine.stats()).toMatchObject({ succeeded: 60, waiting: 0 });
    expect(mostRunning).toBe(4);
    await close(engine);
  });
});

describe("attempts", () => {
  it("follow each other with growing waits, and end in the dead letters with the last reason", async () => {
    const startedAtMs: number[] = [];
    const recorder = new Recorder();
    const engine = engineWith({}, recorder);
    const job = defineJob<string>({
      name: "a",
      maxAttempts: 3,
      backoff: { baseMs: 1_000, maxMs: 10_000 },
      run(_, { delivery }) {
        startedAtMs.push(Date.now());
        throw new Error(`attempt ${delivery?.attempt} of ${delivery?.maxAttempts}`);
      },
    });
    await engine.work({ jobs: [job] });
    const { id } = await engine.enqueue(job, "payload");
    await vi.advanceTimersByTimeAsync(60_000);
    const [first = 0, second = 0, third = 0] = startedAtMs;
    expect(second - first).toBeGreaterThanOrEqual(500);
    expect(second - first).toBeLessThanOrEqual(1_001);
    expect(third - second).toBeGreaterThanOrEqual(1_000);
    expect(third - second).toBeLessThanOrEqual(2_001);
    expect(await engine.deadLetters()).toEqual([
      {
        id,
        jobName: "a",
        payload: "payload",
        attempts: 3,
        error: "attempt 3 of 3",
        failedAt: new Date(third),
      },
    ]);
    expect(recorder.outcomes).toEqual(["retried", "retried", "dead-lettered"]);
    await close(engine);
  });

  it("may be limited at the enqueue", async () => {
    const run = vi.fn(() => Promise.reject(new Error("no")));
    const job = defineJob({ name: "a", run });
    const engine = engineWith();
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, undefined, { maxAttempts: 1 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(1);
    await close(engine);
  });

  it("begin anew when a dead letter is redriven", async () => {
    let isFixed = false;
    const attempts: (number | undefined)[] = [];
    const job = defineJob({
      name: "a",
      run(_, { delivery }) {
        attempts.push(delivery?.attempt);
        if (!isFixed) throw new PermanentJobError("broken");
      },
    });
    const engine = engineWith();
    await engine.work({ jobs: [job] });
    const { id } = await engine.enqueue(job, undefined);
    await settled();
    expect(await engine.deadLetters()).toHaveLength(1);
    isFixed = true;
    expect(await engine.redrive(id)).toBe(true);
    expect(await engine.redrive(id)).toBe(false);
    expect(await engine.redrive("no such job")).toBe(false);
    await settled();
    expect(attempts).toEqual([1, 1]);
    expect(await engine.deadLetters()).toEqual([]);
    expect(await engine.stats()).toMatchObject({ succeeded: 1, deadLettered: 0 });
    await close(engine);
  });
});

describe("dead letters", () => {
  it("are listed newest first, also within one millisecond, up to a limit", async () => {
    const job = defineJob<number>({ name: "a", maxAttempts: 1, run: () => Promise.reject(new Error("no")) });
    const engine = engineWith();
    await engine.work({ jobs: [job] });
    await engine.enqueueMany(job, [1, 2, 3]);
    await settled();
    expect((await engine.deadLetters()).map(({ payload }) => payload)).toEqual([3, 2, 1]);
    expect((await engine.deadLetters({ limit: 1 })).map(({ payload }) => payload)).toEqual([3]);
    await close(engine);
  });
});

describe("cancel", () => {
  it("keeps a waiting job from running", async () => {
    const run = vi.fn();
    const job = defineJob({ name: "a", run });
    const engine = engineWith();
    const { id } = await engine.enqueue(job, undefined);
    expect(await engine.cancel(id)).toBe(true);
    expect(await engine.cancel(id)).toBe(false);
    expect(await engine.cancel("no such job")).toBe(false);
    await engine.work({ jobs: [job] });
    await settled();
    expect(run).not.toHaveBeenCalled();
    expect(await engine.stats()).toMatchObject({ cancelled: 1, waiting: 0 });
    await close(engine);
  });

  it("ends a running job through its signal, and spends no further attempt", async () => {
    const recorder = new Recorder();
    const job = defineJob({
      name: "a",
      async run(_, { signal }) {
        await aborted(signal);
        throw new Error("interrupted in the middle");
      },
    });
    const engine = engineWith({}, recorder);
    await engine.work({ jobs: [job] });
    const { id } = await engine.enqueue(job, undefined);
    await settled();
    expect(await engine.cancel(id)).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(recorder.started).toHaveLength(1);
    expect(await engine.stats()).toMatchObject({ cancelled: 1, running: 0, scheduled: 0 });
    await close(engine);
  });
});

describe("retention", () => {
  it("forgets what succeeded, and its key, after its time, and dead letters after theirs", async () => {
    const job = defineJob<boolean>({
      name: "a",
      maxAttempts: 1,
      run(fails) {
        if (fails) throw new Error("no");
      },
    });
    const engine = engineWith({ retainSucceededMs: 60_000, retainDeadLettersMs: 120_000 });
    await engine.work({ jobs: [job] });
    const options = { idempotencyKey: "order-1" };
    const { id } = await engine.enqueue(job, false, options);
    await engine.enqueue(job, true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await engine.enqueue(job, false, options)).toEqual({ id, isDuplicate: true });
    expect(await engine.stats()).toMatchObject({ succeeded: 1, deadLettered: 1 });
    await vi.advanceTimersByTimeAsync(1_001);
    expect(await engine.stats()).toMatchObject({ succeeded: 0, deadLettered: 1 });
    expect(await engine.enqueue(job, false, options)).toEqual({ id, isDuplicate: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await engine.deadLetters()).toEqual([]);
    await close(engine);
  });

  it("is a day for what succeeded and a fortnight for dead letters unless told otherwise", async () => {
    const dayMs = 24 * 60 * 60 * 1_000;
    const job = defineJob<boolean>({
      name: "a",
      maxAttempts: 1,
      run: (fails) => fails && Promise.reject("no"),
    });
    const engine = engineWith();
    const worker = await engine.work({ jobs: [job] });
    await engine.enqueueMany(job, [true, false]);
    await settled();
    const stopping = worker.stop();
    await vi.advanceTimersByTimeAsync(100);
    await stopping;
    const startedAtMs = Date.now();
    vi.setSystemTime(startedAtMs + dayMs - 1_000);
    expect(await engine.stats()).toMatchObject({ succeeded: 1, deadLettered: 1 });
    vi.setSystemTime(startedAtMs + dayMs + 1_000);
    expect(await engine.stats()).toMatchObject({ succeeded: 0, deadLettered: 1 });
    vi.setSystemTime(startedAtMs + 14 * dayMs - 1_000);
    expect(await engine.stats()).toMatchObject({ deadLettered: 1 });
    vi.setSystemTime(startedAtMs + 14 * dayMs + 1_000);
    expect(await engine.stats()).toMatchObject({ deadLettered: 0 });
    await close(engine);
  });

  it("keeps keys of jobs that wait or run for as long as they do", async () => {
    const job = defineJob({ name: "a", run: (_, { signal }) => aborted(signal) });
    const engine = engineWith({ retainSucceededMs: 1 });
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, undefined, { idempotencyKey: "running" });
    await engine.enqueue(job, undefined, { idempotencyKey: "waiting" });
    await vi.advanceTimersByTimeAsync(1e6);
    for (const idempotencyKey of ["running", "waiting"]) {
      expect((await engine.enqueue(job, undefined, { idempotencyKey })).isDuplicate).toBe(true);
    }
    const closing = engine.close();
    await vi.advanceTimersByTimeAsync(40_000);
    await closing;
  });
});

describe("payloads in memory", () => {
  it("are held to what the servers hold them to", async () => {
    const job = defineJob<unknown>({ name: "a", run() {} });
    const engine = engineWith();
    for (const payload of [new Date(), 1n, () => {}, "x".repeat(1_048_576)]) {
      const error = await engine.enqueue(job, payload).catch((thrown: unknown) => thrown);
      expect(PayloadError.isInstance(error)).toBe(true);
    }
    expect(await engine.stats()).toMatchObject({ waiting: 0 });
  });
});

describe("stopping and closing", () => {
  it("gives the job of a stopped worker to the next, without an attempt spent", async () => {
    const attempts: (number | undefined)[] = [];
    const job = defineJob({
      name: "a",
      async run(_, { signal, delivery }) {
        attempts.push(delivery?.attempt);
        if (attempts.length > 1) return;
        await aborted(signal);
        signal.throwIfAborted();
      },
    });
    const engine = engineWith();
    const worker = await engine.work({ jobs: [job] });
    await engine.enqueue(job, undefined);
    await settled();
    const stopping = worker.stop({ graceMs: 0 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await stopping).toMatchObject({ started: 1, interrupted: 1, abandoned: 0 });
    expect(await engine.stats()).toMatchObject({ waiting: 1, running: 0 });
    await engine.work({ jobs: [job] });
    await settled();
    expect(attempts).toEqual([1, 1]);
    await close(engine);
  });

  it("leaves no timer behind", async () => {
    const engine = engineWith();
    await engine.work({ jobs: [defineJob({ name: "a", run() {} })] });
    await settled();
    await close(engine);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("runs jobs and lists dead letters in an environment without `structuredClone`, such as Jest with jsdom", async () => {
    vi.stubGlobal("structuredClone", undefined);
    const engine = engineWith();
    const payload = { to: ["ada"] };
    const seen: unknown[] = [];
    const job = defineJob<typeof payload>({
      name: "cloned",
      maxAttempts: 1,
      run(given) {
        seen.push([...given.to]);
        given.to.push("changed");
        throw new Error("no");
      },
    });
    await engine.enqueue(job, payload);
    await engine.work({ jobs: [job] });
    await settled();
    expect(seen).toEqual([["ada"]]);
    expect(await engine.deadLetters()).toMatchObject([{ payload: { to: ["ada"] } }]);
    await close(engine);
    vi.unstubAllGlobals();
  });

  it("gives timers a turn while short jobs follow each other", async () => {
    vi.useRealTimers();
    const engine = engineWith();
    let [runs, hadTurn] = [0, false];
    const job = defineJob({
      name: "endless",
      run(_payload, { snooze }) {
        // Far more than a turn allows: without one, this ends all the same, and the test fails.
        if (++runs < 20_000 && !hadTurn) snooze(0);
      },
    });
    await engine.enqueue(job);
    const worker = await engine.work({ jobs: [job] });
    setImmediate(() => {
      hadTurn = true;
    });
    await vi.waitFor(async () => expect((await engine.stats()).succeeded).toBe(1));
    expect(runs).toBeLessThan(20_000);
    await worker.stop();
    await engine.close();
  });
});
