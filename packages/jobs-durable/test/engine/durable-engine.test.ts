import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createEngine,
  type EngineOptions,
  type JobConsumer,
  type LeasedJob,
  type StartableEngine,
  throttledWarning,
  zeroCounts,
} from "../../src/backend.ts";
import { DurableWorker } from "../../src/execution/durable-worker.ts";
import { defineJob, EngineUnavailableError, PayloadError, UnsupportedError } from "../../src/index.ts";
import { deferred, never } from "../support/deferred.ts";
import { Recorder } from "../support/recorder.ts";
import { fetched, ScriptedBackend, ScriptedConsumer } from "../support/scripted-backend.ts";

const sendMail = defineJob<unknown>({ name: "send_mail", run() {} });

function engineOn(backend: ScriptedBackend, options: Partial<EngineOptions> = {}): StartableEngine {
  return createEngine(backend, { runner: new ObservedJobRunner(), ...options });
}

function errorOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => Promise.reject(new Error("nothing was thrown")),
    (error: Error) => error,
  );
}

describe("an engine's construction", () => {
  it.each<[string, object]>([
    ["`runner`", { runner: undefined }],
    ["`runner`", { runner: { runAsync() {} } }],
    ["`onError`", { onError: "console" }],
    ["`answerWithinMs`", { answerWithinMs: 0 }],
    ["`answerWithinMs`", { answerWithinMs: "5" }],
    ["`answerWithinMs`", { answerWithinMs: 2 ** 31 }],
  ])("refuses a wrong %s: %o", (what, options) => {
    expect(() => engineOn(new ScriptedBackend(), options)).toThrow(`expected ${what} to be`);
  });
});

describe("enqueue", () => {
  it("leaves out a header that cannot be read", async () => {
    const backend = new ScriptedBackend();
    const hostile: JobObserver = {
      onJobEnqueued({ carrier }) {
        carrier.kept = "yes";
        Object.defineProperty(carrier, "hostile", {
          enumerable: true,
          get() {
            throw new Error("hands off");
          },
        });
      },
    };
    await engineOn(backend, { runner: new ObservedJobRunner(hostile) }).enqueue(sendMail, 1);
    expect(backend.envelopes[0]?.carrier).toEqual({ kept: "yes" });
  });

  it("stores name, payload, options and the headers of observers, and tells observers first", async () => {
    const backend = new ScriptedBackend();
    const recorder = new Recorder();
    const tracing: JobObserver = {
      onJobEnqueued({ carrier }) {
        carrier.traceparent = "00-1-2-01";
      },
    };
    const engine = engineOn(backend, { runner: new ObservedJobRunner([tracing, recorder]) });
    const runAt = new Date(5);
    const { id, isDuplicate } = await engine.enqueue(
      sendMail,
      { to: "ann" },
      { runAt, correlationId: "order-1", maxAttempts: 2 },
    );
    expect(isDuplicate).toBe(false);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(backend.inserted).toEqual([
      {
        id,
        name: "send_mail",
        envelopeText: `{"carrier":{"traceparent":"00-1-2-01"},"correlationId":"order-1","payloadBytes":12,"payload":{"to":"ann"}}`,
        runAt,
        maxAttempts: 2,
        hasIdempotencyKey: false,
        priority: 0,
        uniqueKey: undefined,
        uniqueForMs: undefined,
        retainMs: undefined,
      },
    ]);
    expect(recorder.enqueued).toMatchObject([
      {
        jobName: "send_mail",
        engine: "scripted",
        queue: "queue of send_mail",
        count: 1,
        correlationId: "order-1",
        payloadBytes: 12,
      },
    ]);
  });

  it("stores neither payload nor headers if there are none", async () => {
    const backend = new ScriptedBackend();
    await engineOn(backend).enqueue(sendMail, undefined);
    expect(backend.inserted[0]).toMatchObject({ envelopeText: "{}", maxAttempts: 5, runAt: undefined });
  });

  it("stores what payload and moment were at the call", async () => {
    const backend = new ScriptedBackend();
    const payload = { to: "ann" };
    const runAt = new Date(5);
    const enqueuing = engineOn(backend).enqueue(sendMail, payload, { runAt });
    payload.to = "bob";
    runAt.setTime(9);
    await enqueuing;
    expect(backend.inserted[0]).toMatchObject({
      envelopeText: '{"payloadBytes":12,"payload":{"to":"ann"}}',
      runAt: new Date(5),
    });
  });

  it("stores of an observer's headers only what every store can keep", async () => {
    const backend = new ScriptedBackend();
    const odd: JobObserver = {
      onJobEnqueued({ carrier }) {
        Object.assign(carrier, { traceparent: "1", callback: () => {}, big: 1n, count: 7 });
      },
    };
    await engineOn(backend, { runner: new ObservedJobRunner(odd) }).enqueue(sendMail, "x");
    expect(backend.envelopes[0]?.carrier).toEqual({ traceparent: "1" });
  });

  it("gives one id to one name and key, and says what was there already", async () => {
    const backend = new ScriptedBackend();
    const engine = engineOn(backend);
    const first = await engine.enqueue(sendMail, 1, { idempotencyKey: "order-1" });
    backend.onInsert = async ([job]) => [{ id: job?.id ?? "", isDuplicate: true }];
    const second = await engine.enqueue(sendMail, 2, { idempotencyKey: "order-1" });
    expect(second).toEqual({ id: first.id, isDuplicate: true });
    const other = defineJob<number>({ name: "other", run() {} });
    expect((await engine.enqueue(other, 1, { idempotencyKey: "order-1" })).id).not.toBe(first.id);
    expect(backend.inserted.every(({ hasIdempotencyKey }) => hasIdempotencyKey)).toBe(true);
  });

  it("tells positions of a batch from keys that look like them", async () => {
    const engine = engineOn(new ScriptedBackend());
    const [first, second] = await engine.enqueueMany(sendMail, [1, 2], { idempotencyKey: "order" });
    expect(first?.id).not.toBe(second?.id);
    const single = await engine.enqueue(sendMail, 3, { idempotencyKey: "order#0" });
    expect(single.id).not.toBe(first?.id);
  });

  it("stores a batch at once, in order, or nothing if one payload is refused", async () => {
    const backend = new ScriptedBackend();
    const recorder = new Recorder();
    const engine = engineOn(backend, { runner: new ObservedJobRunner(recorder) });
    backend.onInsert = async (jobs) => jobs.map(({ id }, index) => ({ id, isDuplicate: index === 1 }));
    const results = await engine.enqueueMany(sendMail, ["a", "b", "c"]);
    expect(results.map(({ isDuplicate }) => isDuplicate)).toEqual([false, true, false]);
    expect(backend.envelopes.map(({ payload }) => payload)).toEqual(["a", "b", "c"]);
    expect(recorder.enqueued.map(({ count }) => count)).toEqual([3]);
    expect(recorder.enqueued[0]?.jobIds).toEqual(results.map(({ id }) => id));
    expect(Object.isFrozen(recorder.enqueued[0]?.jobIds)).toBe(true);
    expect(PayloadError.isInstance(await errorOf(engine.enqueueMany(sendMail, ["d", 1n])))).toBe(true);
    expect(backend.inserted).toHaveLength(3);
    expect(recorder.enqueued).toHaveLength(1);
    expect(await engine.enqueueMany(sendMail, [])).toEqual([]);
  });

  it("refuses null characters only if the engine cannot store them", async () => {
    const backend = new ScriptedBackend();
    await engineOn(backend).enqueue(sendMail, "\u0000\ud800");
    backend.capabilities = { ...backend.capabilities, nullCharacters: false };
    const engine = engineOn(backend);
    for (const payload of ["\u0000", { "\ud800": 1 }]) {
      expect(PayloadError.isInstance(await errorOf(engine.enqueue(sendMail, payload)))).toBe(true);
    }
    await engine.enqueue(sendMail, "\\u0000 😀");
    expect(backend.inserted).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ["the options", null],
    ["the options", 5],
    ["`runAt`", { runAt: 5 }],
    ["`runAt`", { runAt: new Date(Number.NaN) }],
    ["`idempotencyKey`", { idempotencyKey: "" }],
    ["`idempotencyKey`", { idempotencyKey: 7 }],
    ["`idempotencyKey`", { idempotencyKey: "x".repeat(513) }],
    ["`correlationId`", { correlationId: "\u0000" }],
    ["`correlationId`", { correlationId: "\ud800" }],
    ["`maxAttempts`", { maxAttempts: 0 }],
    ["`maxAttempts`", { maxAttempts: 1.5 }],
  ])("refuses wrong %s: %o", async (what, options) => {
    const backend = new ScriptedBackend();
    const error = await errorOf(engineOn(backend).enqueue(sendMail, "x", options as object));
    expect(error.name).toMatch(/^(Type|Range)Error$/);
    expect(error.message).toContain(`expected ${what} to be`);
    expect(backend.inserted).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["an empty object", {}],
    ["a job that defineJob did not make", { name: "a", run() {} }],
    ["a job without a name", { ...sendMail, name: "" }],
    ["a name of more than 512 characters", { ...sendMail, name: "x".repeat(513) }],
    ["a name with a null character", { ...sendMail, name: "\u0000" }],
  ])("refuses %s for a job", async (_, job) => {
    const engine = engineOn(new ScriptedBackend());
    const calls = [
      engine.enqueue(job as typeof sendMail, "x"),
      engine.enqueueMany(job as typeof sendMail, ["x"]),
      engine.work({ jobs: [job as typeof sendMail] }),
      engine.unschedule(job as typeof sendMail),
    ];
    for (const call of calls) expect((await errorOf(call)).name).toMatch(/^(Type|Range)Error$/);
  });
});

describe("what an engine cannot do", () => {
  it("is an UnsupportedError at the call", async () => {
    const backend = new ScriptedBackend();
    const engine = engineOn(backend);
    for (const call of [engine.schedule(sendMail, "* * * * *", 1), engine.unschedule(sendMail)]) {
      const error = await errorOf(call);
      expect(UnsupportedError.isInstance(error)).toBe(true);
      expect(error.message).toBe("scripted has no schedules");
    }
    const lookup = await errorOf(engine.job("a"));
    expect(UnsupportedError.isInstance(lookup)).toBe(true);
    expect(lookup.message).toBe("scripted cannot list its jobs");
    backend.capabilities = { ...backend.capabilities, schedules: true };
    const oneEach = engineOn(backend);
    const keyed = await errorOf(oneEach.schedule(sendMail, "* * * * *", 1, { key: "a" }));
    expect(UnsupportedError.isInstance(keyed)).toBe(true);
  });
});

describe("an engine whose server is away", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("waits for a bounded time, and names the server that gave no answer", async () => {
    const backend = new ScriptedBackend();
    backend.onInsert = () => never();
    backend.onCancel = () => never();
    backend.onCounts = () => never();
    backend.onConsumer = () => never();
    const engine = engineOn(backend, { answerWithinMs: 500 });
    const errors = Promise.all([
      errorOf(engine.enqueue(sendMail, "x")),
      errorOf(engine.cancel("x")),
      errorOf(engine.stats()),
      errorOf(engine.work({ jobs: [sendMail] })),
    ]);
    await vi.advanceTimersByTimeAsync(500);
    for (const error of await errors) {
      expect(EngineUnavailableError.isInstance(error)).toBe(true);
      expect(error.message).toBe("scripted at nowhere:1 is unreachable (no answer within 500 ms)");
    }
  });

  it("waits 10 s by default", async () => {
    const backend = new ScriptedBackend();
    backend.onCounts = () => never();
    let isSettled = false;
    const error = errorOf(engineOn(backend).stats()).finally(() => {
      isSettled = true;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(isSettled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await error).message).toContain("within 10000 ms");
  });

  it.each([
    "ECONNREFUSED",
    "ECONNRESET",
    "ENETDOWN",
    "EPIPE",
    "ETIMEDOUT",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EHOSTUNREACH",
    "ENETUNREACH",
  ])("makes an EngineUnavailableError of %s, with the cause", async (code) => {
    const cause = Object.assign(new Error(`connect ${code}`), { code });
    const backend = new ScriptedBackend();
    backend.onInsert = () => Promise.reject(cause);
    const error = await errorOf(engineOn(backend).enqueue(sendMail, "x"));
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(error.message).toBe(`scripted at nowhere:1 is unreachable (Error: connect ${code})`);
    expect(error.cause).toBe(cause);
  });

  it("asks the backend about errors of its own, and passes on all others", async () => {
    const backend = new ScriptedBackend();
    const shutdown = new Error("terminating connection");
    const wrong = Object.assign(new Error("duplicate key"), { code: "23505" });
    backend.isUnreachable = (error) => error === shutdown;
    backend.onCounts = () => Promise.reject(shutdown);
    expect(EngineUnavailableError.isInstance(await errorOf(engineOn(backend).stats()))).toBe(true);
    backend.onCounts = () => Promise.reject(wrong);
    expect(await errorOf(engineOn(backend).stats())).toBe(wrong);
  });

  it("does not keep a consumer that came too late", async () => {
    const backend = new ScriptedBackend();
    const consumer = deferred<JobConsumer<LeasedJob>>();
    backend.onConsumer = () => consumer.promise;
    const outcome = errorOf(engineOn(backend, { answerWithinMs: 100 }).work({ jobs: [sendMail] }));
    await vi.advanceTimersByTimeAsync(100);
    await outcome;
    consumer.resolve(backend.script);
    await vi.advanceTimersByTimeAsync(0);
    expect(backend.script.closings).toBe(1);
  });
});

describe("work", () => {
  it("says what went wrong once: to its caller", async () => {
    const backend = new ScriptedBackend();
    backend.onConsumer = () => Promise.reject(new Error("no such queue"));
    const onError = vi.fn();
    const error = await errorOf(engineOn(backend, { onError }).work({ jobs: [sendMail] }));
    expect(error.message).toBe("no such queue");
    await new Promise((resolve) => setImmediate(resolve));
    expect(onError).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ["`jobs`", { jobs: [] }],
    ["`jobs`", { jobs: sendMail }],
    ["jobs of different names", { jobs: [sendMail, sendMail] }],
    ["`concurrency`", { jobs: [sendMail], concurrency: 0 }],
    ["`concurrency`", { jobs: [sendMail], concurrency: 1.5 }],
    ["`concurrency`", { jobs: [sendMail], concurrency: Infinity }],
    ["`concurrency`", { jobs: [sendMail], concurrency: "2" }],
  ])("refuses wrong %s: %o", async (what, options) => {
    const backend = new ScriptedBackend();
    const error = await errorOf(engineOn(backend).work(options as { jobs: [] }));
    expect(error.message).toContain(`expected ${what}`);
    expect(backend.sourced).toEqual([]);
  });

  it("asks for the names it was given, once, whatever becomes of the list", async () => {
    const backend = new ScriptedBackend();
    const engine = engineOn(backend);
    const jobs = [sendMail, defineJob({ name: "__proto__", run() {} })];
    const working = engine.work({ jobs });
    jobs.pop();
    await working;
    expect(backend.sourced).toEqual([["send_mail", "__proto__"]]);
    await engine.close();
  });
});

describe("cancel", () => {
  it("asks workers that are at work, and forgets those that have stopped", async () => {
    const cancel = vi.spyOn(DurableWorker.prototype, "cancel");
    try {
      const engine = engineOn(new ScriptedBackend());
      const worker = await engine.work({ jobs: [sendMail] });
      await engine.cancel("a");
      expect(cancel).toHaveBeenCalledTimes(1);
      await worker.stop();
      await engine.cancel("a");
      expect(cancel).toHaveBeenCalledTimes(1);
    } finally {
      cancel.mockRestore();
    }
  });

  it.each(["x".repeat(513), "a\u0000b", "\ud800"])(
    "of what no store holds answers no, and asks no store (%j)",
    async (id) => {
      const backend = new ScriptedBackend();
      backend.onCancel = () => Promise.reject(new Error("it was asked"));
      const engine = engineOn(backend);
      expect([await engine.cancel(id), await engine.redrive(id)]).toEqual([false, false]);
    },
  );

  it.each(["", 7, undefined])("refuses %s for an id", async (id) => {
    const engine = engineOn(new ScriptedBackend());
    for (const call of [engine.cancel(id as string), engine.redrive(id as string)]) {
      expect((await errorOf(call)).message).toContain("expected `jobId` to be");
    }
  });
});

describe("start", () => {
  it("tells the backend once, however often it is called", async () => {
    const backend = new ScriptedBackend();
    const start = vi.fn(async () => {});
    const engine = engineOn(Object.assign(backend, { start }));
    expect(await engine.start()).toBe(engine);
    await engine.start();
    expect(start).toHaveBeenCalledTimes(1);
    await engine.close();
    await engine.start();
    expect(start).toHaveBeenCalledTimes(1);
  });

  it("rejects as the backend does, and leaves a closed engine", async () => {
    const start = (): Promise<void> => Promise.reject(new Error("no tables"));
    const engine = engineOn(Object.assign(new ScriptedBackend(), { start }));
    expect((await errorOf(engine.start())).message).toBe("no tables");
    expect((await errorOf(engine.stats())).message).toContain("closed");
    await engine.close();
  });

  it("says that the server is unreachable, as every call does", async () => {
    const lost = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const start = (): Promise<void> => Promise.reject(lost);
    const engine = engineOn(Object.assign(new ScriptedBackend(), { start }));
    const error = await errorOf(engine.start());
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ cause: lost });
  });

  it("waits for a bounded time, and closes what starts too late", async () => {
    const started = deferred<void>();
    const backend = Object.assign(new ScriptedBackend(), { start: () => started.promise });
    const engine = engineOn(backend, { answerWithinMs: 20 });
    expect((await errorOf(engine.start())).message).toBe(
      "scripted at nowhere:1 is unreachable (no answer within 20 ms)",
    );
    started.resolve();
    await expect.poll(() => backend.closings).toBe(1);
    await engine.close();
    expect(backend.closings).toBe(1);
  });

  it("may take longer than a call, if the backend says how long", async () => {
    const start = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));
    const backend = Object.assign(new ScriptedBackend(), { start, startWithinMs: 10_000 });
    const engine = engineOn(backend, { answerWithinMs: 20 });
    expect(await engine.start()).toBe(engine);
  });

  it("rejects if the engine was closed meanwhile", async () => {
    const started = deferred<void>();
    const engine = engineOn(Object.assign(new ScriptedBackend(), { start: () => started.promise }));
    const starting = engine.start();
    await engine.close();
    started.resolve();
    expect((await errorOf(starting)).message).toContain("closed");
  });
});

describe("name", () => {
  it("is that of the option, in deliveries and for observers, and else that of the backend", async () => {
    const recorder = new Recorder();
    const runner = new ObservedJobRunner(recorder);
    const engine = engineOn(new ScriptedBackend(), { runner, name: "orders" });
    await engine.enqueue(sendMail, "a");
    expect(engine.name).toBe("orders");
    expect(recorder.enqueued.map(({ engine: name }) => name)).toEqual(["orders"]);
    expect(engineOn(new ScriptedBackend()).name).toBe("scripted");
  });

  it.each(["", 7, null, "a\u0000b", "\ud800", "x".repeat(513)])("refuses %j", (name) => {
    expect(() => engineOn(new ScriptedBackend(), { name: name as never })).toThrow("expected `name`");
  });
});

describe("backlog", () => {
  it("is there for observers while the engine is open", async () => {
    const opened: Parameters<NonNullable<JobObserver["onEngineOpened"]>>[0][] = [];
    const engine = engineOn(new ScriptedBackend(), {
      runner: new ObservedJobRunner({ onEngineOpened: (context) => void opened.push(context) }),
    });
    expect(opened.map((context) => context.engine)).toEqual(["scripted"]);
    expect(await opened[0]?.backlog()).toEqual([]);
    await engine.close();
    expect(await opened[0]?.backlog()).toBeUndefined();
  });
});

describe("dead letters", () => {
  it("are there for observers by name, with valid dates alone, in one question with the backlog", async () => {
    const opened: Parameters<NonNullable<JobObserver["onEngineOpened"]>>[0][] = [];
    const backend = new ScriptedBackend();
    let asked = 0;
    const row = { jobName: "a", waiting: 1, oldestWaitingAt: undefined };
    backend.onBacklog = async () => {
      asked++;
      return [
        { ...row, deadLettered: 2, oldestDeadLetterAt: new Date(7) },
        { ...row, jobName: "b", deadLettered: 1, oldestDeadLetterAt: new Date(Number.NaN) },
      ];
    };
    const engine = engineOn(backend, {
      runner: new ObservedJobRunner({ onEngineOpened: (context) => void opened.push(context) }),
    });
    const [backlog, letters] = await Promise.all([opened[0]?.backlog(), opened[0]?.deadLetters?.()]);
    expect(letters).toEqual([
      { jobName: "a", count: 2, oldestAt: new Date(7) },
      { jobName: "b", count: 1, oldestAt: undefined },
    ]);
    expect(backlog?.[0]).toStrictEqual(row);
    expect(asked).toBe(1);
    await engine.close();
    expect(await opened[0]?.deadLetters?.()).toBeUndefined();
  });
});

describe("stats", () => {
  it("are the sums, and the counts of every name, whatever the names are", async () => {
    const backend = new ScriptedBackend();
    const names = ["__proto__", "constructor", "toString"];
    backend.onCounts = async () =>
      new Map(
        names.map((name, index) => [
          name,
          { ...zeroCounts, waiting: 1, running: index, oldestWaitingAt: new Date(10 - index) },
        ]),
      );
    const stats = await engineOn(backend).stats();
    expect(stats).toMatchObject({ waiting: 3, running: 3, succeeded: 0, oldestWaitingAt: new Date(8) });
    expect(Object.keys(stats.byName)).toEqual(names);
    for (const name of names)
      expect(Object.getOwnPropertyDescriptor(stats.byName, name)?.value.waiting).toBe(1);
  });

  it("know no name that is not there", async () => {
    const { byName } = await engineOn(new ScriptedBackend()).stats();
    expect(byName.constructor).toBeUndefined();
    expect(byName.toString).toBeUndefined();
  });
});

describe("deadLetters", () => {
  it.each([0, -1, 1.5, Infinity, "5"])("refuses a limit of %s", async (limit) => {
    const error = await errorOf(engineOn(new ScriptedBackend()).deadLetters({ limit: limit as number }));
    expect(error.message).toContain("expected `limit` to be a whole number");
  });
});

describe("close", () => {
  it("stops the workers, closes the backend once, and may be repeated", async () => {
    const backend = new ScriptedBackend(new ScriptedConsumer(fetched("a")));
    const engine = engineOn(backend);
    const worker = await engine.work({ jobs: [sendMail] });
    const closing = engine.close();
    expect(engine.close()).toBe(closing);
    await Promise.all([closing, engine.close(), engine[Symbol.asyncDispose]()]);
    expect(backend.closings).toBe(1);
    expect(backend.script.closings).toBe(1);
    expect(await worker.stop()).toBeDefined();
  });

  it("says that it cut a call off, and not that the server is away", async () => {
    const backend = new ScriptedBackend();
    const lost = Object.assign(new Error("Connection is closed"), { code: "ECONNRESET" });
    const { promise: counts, reject } = deferred<never>();
    backend.counts = () => counts;
    const engine = engineOn(backend);
    const refused = errorOf(engine.stats());
    const closing = engine.close();
    await expect.poll(() => backend.closings).toBe(1);
    reject(lost);
    const error = await refused;
    expect(EngineUnavailableError.isInstance(error)).toBe(false);
    expect(error.message).toBe("the scripted engine is closed: it cut the call off");
    expect(error.cause).toMatchObject({ cause: lost });
    await closing;
  });

  it("leaves an engine that says it is closed", async () => {
    const backend = new ScriptedBackend();
    const enqueued: unknown[] = [];
    const runner = new ObservedJobRunner({ onJobEnqueued: (context) => void enqueued.push(context) });
    const engine = engineOn(backend, { runner });
    await engine.close();
    const calls = [
      engine.enqueue(sendMail, "x"),
      engine.enqueueMany(sendMail, ["x"]),
      engine.work({ jobs: [sendMail] }),
      engine.cancel("x"),
      engine.stats(),
      engine.deadLetters(),
      engine.redrive("x"),
      // Calls that need no question to the store are refused, too.
      ...[engine.enqueueMany(sendMail, []), engine.cancel("\0"), engine.redrive("\0")],
    ];
    for (const call of calls) expect((await errorOf(call)).message).toBe("the scripted engine is closed");
    expect(backend.inserted).toEqual([]);
    expect(enqueued, "no observer hears of a job").toEqual([]);
  });

  it("leaves no worker behind that was being started", async () => {
    const backend = new ScriptedBackend();
    const consumer = deferred<JobConsumer<LeasedJob>>();
    backend.onConsumer = () => consumer.promise;
    const engine = engineOn(backend);
    const working = engine.work({ jobs: [sendMail] }).then(
      () => "started",
      () => "refused",
    );
    await engine.close();
    consumer.resolve(backend.script);
    expect(await working).toBe("refused");
    expect(backend.script.limits).toEqual([]);
    expect(backend.script.closings).toBe(1);
  });

  it("lets the handlers that still run enqueue what they have to", async () => {
    const backend = new ScriptedBackend(new ScriptedConsumer(fetched("a")));
    const mayGoOn = deferred();
    const engine = engineOn(backend);
    const job = defineJob<unknown>({
      name: "send_mail",
      async run() {
        await mayGoOn.promise;
        await engine.enqueue(sendMail, "follow-up");
      },
    });
    await engine.work({ jobs: [job] });
    await expect.poll(() => backend.script.limits).not.toEqual([]);
    const closing = engine.close();
    mayGoOn.resolve();
    await closing;
    expect(backend.envelopes.map(({ payload }) => payload)).toEqual(["follow-up"]);
    expect(backend.script.endings).toEqual(["a succeeded"]);
  });
});

describe("throttledWarning", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("warns once a minute at most", async () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const warn = throttledWarning("shop");
    warn(new Error("first"));
    warn(new Error("second"));
    await vi.advanceTimersByTimeAsync(59_999);
    warn("third");
    expect(emitWarning.mock.calls).toEqual([["shop: first", "NidusWarning"]]);
    await vi.advanceTimersByTimeAsync(1);
    warn("fourth");
    expect(emitWarning.mock.calls.at(-1)).toEqual(["shop: fourth", "NidusWarning"]);
  });
});
