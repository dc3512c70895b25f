import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type DurableJob,
  defineJob,
  type FetchedJob,
  type JobHandlerContext,
  type JobWorker,
  PermanentJobError,
  type Settled,
  type WorkerReport,
} from "../../src/index.ts";
import { aborted, type Deferred, deferred, never } from "../support/deferred.ts";
import { fetched, ScriptedSource } from "../support/scripted-backend.ts";
import { startWork } from "../support/working.ts";

// Fake timers do not reach this module of Node's.
vi.mock("node:timers/promises", () => import("../support/fake-pause.ts"));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets everything run that is ready to run. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** Stops a worker, with time enough for what has nothing to wait for. */
async function stop(worker: JobWorker): Promise<WorkerReport> {
  const stopping = worker.stop();
  await vi.advanceTimersByTimeAsync(50);
  return stopping;
}

const away = (): Promise<never> => Promise.reject(new Error("the server is away"));

function handling(
  run: (payload: string, context: JobHandlerContext) => unknown = () => {},
  options: { readonly maxAttempts?: number; readonly timeoutMs?: number } = {},
): DurableJob<string> {
  return defineJob<string>({ name: "send_mail", run, ...options });
}

/** A job whose handlers run until the test ends them. */
class HeldJob {
  readonly started: string[] = [];
  readonly contexts = new Map<string, JobHandlerContext>();
  readonly #ends = new Map<string, Deferred<void>>();
  running = 0;
  mostRunning = 0;
  readonly job: DurableJob<string> = handling(async (payload, context) => {
    this.started.push(payload);
    this.contexts.set(payload, context);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    try {
      await this.#end(payload).promise;
    } finally {
      this.running--;
    }
  });

  #end(payload: string): Deferred<void> {
    const end = this.#ends.get(payload) ?? deferred();
    this.#ends.set(payload, end);
    return end;
  }

  async end(payload: string, error?: unknown): Promise<void> {
    if (error === undefined) this.#end(payload).resolve();
    else this.#end(payload).reject(error);
    await settled();
  }
}

/** A handler that ends when its signal is aborted, with the signal's reason. */
const obedient = (): DurableJob<string> =>
  handling(async (_, { signal }) => {
    await aborted(signal);
    throw signal.reason;
  });

describe("a worker's deliveries", () => {
  it("run the handler with payload and delivery, and settle as it ends", async () => {
    const seen: unknown[] = [];
    const source = new ScriptedSource(
      fetched("a", {
        attempt: 2,
        envelope: { payload: "hello", carrier: { traceparent: "1" }, correlationId: "order-1" },
      }),
    );
    const { worker, recorder } = await startWork(
      source,
      handling((payload, { delivery }) => void seen.push(payload, delivery)),
    );
    await settled();
    const delivery = {
      engine: "scripted",
      queue: "queue of send_mail",
      jobId: "a",
      attempt: 2,
      maxAttempts: 5,
      enqueuedAt: new Date(0),
      runAt: new Date(0),
      correlationId: "order-1",
      carrier: { traceparent: "1" },
    };
    expect(seen).toEqual(["hello", delivery]);
    expect(source.endings).toEqual(["a succeeded"]);
    expect(recorder.started[0]?.delivery).toEqual(delivery);
    expect(recorder.settled).toEqual([
      { jobName: "send_mail", delivery, outcome: "succeeded", error: undefined },
    ]);
    expect(await stop(worker)).toEqual({
      started: 1,
      succeeded: 1,
      retried: 0,
      deadLettered: 0,
      cancelled: 0,
      interrupted: 0,
      abandoned: 0,
    });
  });

  it("hand handlers a context that may be copied, and a delivery that nobody changes", async () => {
    const copies: JobHandlerContext[] = [];
    const source = new ScriptedSource(fetched("a"));
    await startWork(
      source,
      handling((_, context) => {
        copies.push({ ...context });
        expect(() => Object.assign(context.delivery as object, { attempt: 99 })).toThrow(TypeError);
      }),
    );
    await settled();
    expect(source.endings).toEqual(["a succeeded"]);
    expect(copies[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(copies[0]?.delivery).toMatchObject({ jobId: "a", attempt: 1 });
  });

  it("are retried after a backoff, until the last attempt, which is a dead letter", async () => {
    const source = new ScriptedSource(fetched("a"), fetched("b", { attempt: 5 }));
    const { worker, recorder } = await startWork(
      source,
      handling(() => {
        throw new Error("no paper");
      }),
    );
    await settled();
    const [first, last] = source.settlements.map(({ settlement }) => settlement);
    expect(first).toMatchObject({ type: "retried", error: "no paper" });
    const { delayMs } = first as { delayMs: number };
    expect(delayMs).toBeGreaterThanOrEqual(125);
    expect(delayMs).toBeLessThanOrEqual(250);
    expect(last).toEqual({ type: "dead-lettered", error: "no paper" });
    expect(recorder.outcomes).toEqual(["retried", "dead-lettered"]);
    expect(await stop(worker)).toMatchObject({ started: 2, retried: 1, deadLettered: 1 });
  });

  it("are dead letters at once after a PermanentJobError", async () => {
    const source = new ScriptedSource(fetched("a"));
    await startWork(
      source,
      handling(async () => {
        throw new PermanentJobError("no such address");
      }),
    );
    await settled();
    expect(source.settlements[0]?.settlement).toEqual({ type: "dead-lettered", error: "no such address" });
  });

  it("fail for good on a delivery beyond the last attempt, without a run: its workers died", async () => {
    const run = vi.fn();
    const unrecorded =
      "was never recorded: its worker died or lost its lease, or the delivery was lost on its way";
    const source = new ScriptedSource(
      fetched("a", { attempt: 6 }),
      fetched("b", { attempt: 2, maxAttempts: 1 }),
    );
    const { worker, recorder } = await startWork(source, handling(run));
    await settled();
    expect(run).not.toHaveBeenCalled();
    expect(source.settlements.map(({ settlement }) => settlement)).toEqual([
      { type: "dead-lettered", error: `given up: the end of attempt 5 of 5 ${unrecorded}` },
      { type: "dead-lettered", error: `given up: the end of its only attempt ${unrecorded}` },
    ]);
    expect(recorder.outcomes).toEqual(["dead-lettered", "dead-lettered"]);
    expect(recorder.started).toEqual([]);
    expect(await stop(worker)).toMatchObject({ started: 0, deadLettered: 2 });
  });

  it("do not run when they were cancelled before", async () => {
    const run = vi.fn();
    const source = new ScriptedSource(fetched("a", { isCancelRequested: true, attempt: 9 }));
    const { worker, recorder } = await startWork(source, handling(run));
    await settled();
    expect(run).not.toHaveBeenCalled();
    expect(source.endings).toEqual(["a cancelled"]);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(await stop(worker)).toMatchObject({ started: 0, cancelled: 1 });
  });

  it("are told of a cancellation through their signal, and end as cancelled", async () => {
    const source = new ScriptedSource(fetched("a"));
    const { engine, worker, recorder } = await startWork(source, obedient());
    await settled();
    expect(await engine.cancel("a")).toBe(true);
    await settled();
    expect(source.endings).toEqual(["a cancelled"]);
    expect(recorder.finished).toEqual(["cancelled"]);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(await stop(worker)).toMatchObject({ started: 1, cancelled: 1, interrupted: 0 });
  });

  it("count as they end when a cancelled handler finishes all the same", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"));
    const { engine } = await startWork(source, held.job);
    await settled();
    await engine.cancel("a");
    await held.end("a");
    expect(source.endings).toEqual(["a succeeded"]);
  });

  it("time out as failures, which are retried", async () => {
    const source = new ScriptedSource(fetched("a"));
    const job = handling(
      async (_, { signal }) => {
        await aborted(signal);
        throw signal.reason;
      },
      { timeoutMs: 100 },
    );
    const { recorder } = await startWork(source, job);
    await vi.advanceTimersByTimeAsync(100);
    expect(source.endings).toEqual(["a retried"]);
    expect(recorder.finished).toEqual(["failure"]);
  });

  it("keep an error's message within what stores take", async () => {
    const source = new ScriptedSource(fetched("a"));
    await startWork(
      source,
      handling(() => {
        throw new Error(`\u0000\ud800${"x".repeat(1_997)}😀tail`);
      }),
    );
    await settled();
    const error = `\ufffd\ufffd${"x".repeat(1_997)}\ufffd`;
    expect(source.settlements[0]?.settlement).toMatchObject({ type: "retried", error });
  });

  const hostile: [string, unknown][] = [
    ["undefined", undefined],
    ["a text", "no"],
    ["an object without a prototype", Object.create(null)],
    ["an error whose message is no text", Object.assign(new PermanentJobError("x"), { message: 42 })],
    [
      "an error whose message throws",
      Object.defineProperty(new PermanentJobError("x"), "message", {
        get() {
          throw new Error("no");
        },
      }),
    ],
    ["a revoked proxy", revoked()],
  ];
  it.each(hostile)(
    "are settled after a handler threw %s, and nothing is left unhandled",
    async (_, thrown) => {
      vi.useRealTimers();
      const unhandled = vi.fn();
      process.on("unhandledRejection", unhandled);
      try {
        const source = new ScriptedSource(fetched("a", { attempt: 5 }));
        await startWork(
          source,
          handling(() => {
            throw thrown;
          }),
        );
        await new Promise((resolve) => setTimeout(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).not.toHaveBeenCalled();
        expect(source.endings).toEqual(["a dead-lettered"]);
      } finally {
        process.off("unhandledRejection", unhandled);
      }
    },
  );

  it("run when observers throw and when nobody can be told", async () => {
    const broken = (): never => {
      throw new Error("no");
    };
    const source = new ScriptedSource(fetched("a"));
    source.onFetch = async (limit, signal) => {
      if (source.limits.length === 1) throw new Error("away");
      return source.deliver(limit, signal);
    };
    const { worker } = await startWork(source, handling(), {
      onError: broken,
      runner: new ObservedJobRunner(
        { onJobStarted: broken, onJobFinished: broken, onJobSettled: broken, runInScope: broken },
        { onObserverError: () => {} },
      ),
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(source.endings).toEqual(["a succeeded"]);
    expect(await stop(worker)).toMatchObject({ succeeded: 1 });
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("a worker's settlements", () => {
  it("are repeated while the server is away, and the handler runs once", async () => {
    const run = vi.fn();
    const source = new ScriptedSource(fetched("a"));
    let failuresLeft = 4;
    source.onSettle = async () => {
      if (failuresLeft-- > 0) throw new Error("away");
      return { isRecorded: true };
    };
    const { worker, recorder, errors } = await startWork(source, handling(run));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(source.endings).toEqual(Array(5).fill("a succeeded"));
    expect(errors).toHaveLength(4);
    expect(recorder.outcomes).toEqual(["succeeded"]);
    expect(await stop(worker)).toMatchObject({ started: 1, succeeded: 1, abandoned: 0 });
  });

  it("wait longer from failure to failure, and never more than 5 s", async () => {
    const source = new ScriptedSource(fetched("a"));
    source.onSettle = away;
    await startWork(source, handling());
    await vi.advanceTimersByTimeAsync(2_000);
    expect(source.settlements.length).toBeLessThanOrEqual(5);
    await vi.advanceTimersByTimeAsync(58_000);
    const { length } = source.settlements;
    expect(length).toBeGreaterThanOrEqual(12);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.settlements.length - length).toBeGreaterThanOrEqual(2);
    expect(source.settlements.length - length).toBeLessThanOrEqual(4);
  });

  it("tell of a cancel that the engine has recorded instead of a failure", async () => {
    const source = new ScriptedSource(fetched("a", { attempt: 5 }), fetched("b"));
    source.onSettle = async () => ({ isRecorded: true, isCancelled: true });
    const { worker, recorder } = await startWork(
      source,
      handling(() => {
        throw new Error("always");
      }),
      { concurrency: 2 },
    );
    await settled();
    expect(source.endings).toEqual(["a dead-lettered", "b retried"]);
    expect(recorder.settled.map(({ outcome, error }) => `${outcome}: ${error?.message}`)).toEqual([
      "cancelled: always",
      "cancelled: always",
    ]);
    expect(await stop(worker)).toMatchObject({ started: 2, cancelled: 2, retried: 0, deadLettered: 0 });
  });

  it("hold at most one more round of jobs while the server does not answer", async () => {
    const source = new ScriptedSource(...Array.from({ length: 50 }, (_, index) => fetched(`job-${index}`)));
    source.onSettle = () => never();
    const run = vi.fn();
    await startWork(source, handling(run), { concurrency: 3 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(run.mock.calls.length).toBeLessThanOrEqual(9);
  });

  it("do not hand back at the end what has run already: its own ending is tried once more", async () => {
    const source = new ScriptedSource(fetched("a"));
    source.onSettle = away;
    const { worker } = await startWork(source, handling());
    await settled();
    const stopping = worker.stop({ graceMs: 0, abortMs: 0 });
    await vi.advanceTimersByTimeAsync(20_000);
    await stopping;
    expect(new Set(source.endings)).toEqual(new Set(["a succeeded"]));
  });
});

describe("a worker's slots", () => {
  const four = (): FetchedJob[] => ["a", "b", "c", "d"].map((id) => fetched(id));

  it.each([false, true])("are never exceeded (bringsNext %s)", async (bringsNext) => {
    const held = new HeldJob();
    const source = new ScriptedSource(...four());
    source.bringsNext = bringsNext;
    await startWork(source, held.job, { concurrency: 2 });
    await settled();
    expect(held.started).toEqual(["a", "b"]);
    await held.end("b");
    expect(held.started).toEqual(["a", "b", "c"]);
    await held.end("a");
    await held.end("c");
    await held.end("d");
    expect(held.mostRunning).toBe(2);
    expect(Math.max(...source.limits)).toBeLessThanOrEqual(2);
    expect(source.endings).toEqual(["b succeeded", "a succeeded", "c succeeded", "d succeeded"]);
  });

  it("run one job at a time by default", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(...four());
    await startWork(source, held.job);
    await settled();
    expect(held.started).toEqual(["a"]);
    expect(source.limits).toEqual([1]);
  });

  it("are fetched for several slots at once, where a fetch takes longer than handlers are apart", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(...four(), ...["e", "f"].map((id) => fetched(id)));
    source.onFetch = async (limit, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 8));
      return source.deliver(limit, signal);
    };
    await startWork(source, held.job, { concurrency: 3 });
    await vi.advanceTimersByTimeAsync(8);
    await held.end("a");
    expect(source.limits, "it waits for another slot").toEqual([3]);
    await held.end("b");
    expect(source.limits, "half of them are worth a fetch").toEqual([3, 2]);
    await vi.advanceTimersByTimeAsync(8);
    expect(held.started).toEqual(["a", "b", "c", "d", "e"]);
    await held.end("c");
    expect(source.limits).toEqual([3, 2]);
    await vi.advanceTimersByTimeAsync(8);
    expect(source.limits, "no longer than a fetch takes").toEqual([3, 2, 1]);
  });

  it("are fetched for at once while most of them are free", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"));
    source.onFetch = async (limit, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 8));
      return source.deliver(limit, signal);
    };
    await startWork(source, held.job, { concurrency: 10 });
    await vi.advanceTimersByTimeAsync(8);
    expect(held.started).toEqual(["a"]);
    expect(source.limits).toEqual([10, 9]);
  });

  it("run the next job that a settlement brings, in the same slot", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(...four());
    source.bringsNext = true;
    const more = ["e", "f", "g"];
    source.onSettle = async () => {
      const id = more.shift();
      return { isRecorded: true, next: id === undefined ? undefined : fetched(id) };
    };
    await startWork(source, held.job, { concurrency: 2 });
    await settled();
    for (const id of ["a", "b", "e"]) await held.end(id);
    expect(held.started).toEqual(["a", "b", "e", "f", "g"]);
    expect(source.limits).toEqual([2]);
    for (const id of ["f", "c", "g", "d"]) await held.end(id);
    expect(held.started.toSorted()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    expect(held.mostRunning).toBe(2);
  });

  it("ask for no further job where none is brought", async () => {
    const source = new ScriptedSource(...four());
    await startWork(source, handling());
    await settled();
    expect(source.settlements.map(({ wantsNext }) => wantsNext)).toEqual([false, false, false, false]);
  });

  it("hand back the next job that arrives while stopping", async () => {
    const run = vi.fn();
    const source = new ScriptedSource(fetched("a"));
    source.bringsNext = true;
    const answer = deferred<Settled<FetchedJob>>();
    source.onSettle = ({ id }) => (id === "a" ? answer.promise : Promise.resolve({ isRecorded: true }));
    const { worker } = await startWork(source, handling(run));
    await settled();
    const stopping = worker.stop();
    answer.resolve({ isRecorded: true, next: fetched("b") });
    await vi.advanceTimersByTimeAsync(100);
    expect(await stopping).toMatchObject({ started: 1, succeeded: 1, interrupted: 0, abandoned: 0 });
    expect(run).toHaveBeenCalledTimes(1);
    expect(source.endings).toEqual(["a succeeded", "b handed-back"]);
    expect(source.settlements[1]?.wantsNext).toBe(false);
  });

  it("survive a source that delivers more than was asked for, and fetch again when there is room", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource();
    source.onFetch = async (limit, signal) =>
      source.limits.length === 1 ? four() : source.deliver(limit, signal);
    await startWork(source, held.job);
    await settled();
    for (const id of ["a", "b", "c", "d"]) await held.end(id);
    expect(source.endings).toHaveLength(4);
    expect(source.limits).toEqual([1, 1]);
  });

  it("are not lost to a job of a name that nobody asked for, and nothing is left unhandled", async () => {
    vi.useRealTimers();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const source = new ScriptedSource(fetched("a", { name: "unknown" }), fetched("b"));
      await startWork(source, handling());
      await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
      expect(source.endings).toContain("a handed-back");
      expect(source.endings).toContain("b succeeded");
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

describe("a worker whose source breaks its contract", () => {
  it("says so, leaves nothing unhandled, and goes on with what follows", async () => {
    vi.useRealTimers();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const broken = { ...fetched("a"), envelope: undefined } as unknown as FetchedJob;
      const source = new ScriptedSource(broken, fetched("b"));
      const { errors } = await startWork(source, handling());
      await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
      expect(errors).toHaveLength(1);
      expect(source.endings).toContain("b succeeded");
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

describe("a worker whose fetch rejects", () => {
  it("says so, waits longer each time but never long, and recovers", async () => {
    const source = new ScriptedSource(fetched("a"));
    let isAway = true;
    source.onFetch = (limit, signal) => (isAway ? away() : source.deliver(limit, signal));
    const { errors } = await startWork(source, handling());
    await settled();
    expect(source.limits).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(source.limits.length).toBeLessThanOrEqual(5);
    await vi.advanceTimersByTimeAsync(58_000);
    const { length } = source.limits;
    expect(length).toBeGreaterThanOrEqual(12);
    expect(length).toBeLessThanOrEqual(30);
    expect(errors).toHaveLength(length);
    isAway = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(source.endings).toEqual(["a succeeded"]);
  });

  it("begins with short waits again after a success", async () => {
    const source = new ScriptedSource();
    let isAway = true;
    source.onFetch = (limit, signal) => (isAway ? away() : source.deliver(limit, signal));
    await startWork(source, handling());
    await vi.advanceTimersByTimeAsync(60_000);
    isAway = false;
    await vi.advanceTimersByTimeAsync(5_000);
    isAway = true;
    source.push(fetched("a"));
    await settled();
    const { length } = source.limits;
    await vi.advanceTimersByTimeAsync(250);
    expect(source.limits.length).toBeGreaterThan(length);
  });

  it("stops at once while it waits for the server", async () => {
    const source = new ScriptedSource();
    source.onFetch = away;
    const { worker } = await startWork(source, handling());
    await vi.advanceTimersByTimeAsync(60_000);
    const stopping = worker.stop();
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 0 });
  });
});

describe("a worker's leases", () => {
  it("are renewed while jobs run, every second or so, and not otherwise", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"), fetched("b"));
    await startWork(source, held.job, { concurrency: 2 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(source.renewals).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ]);
    await held.end("a");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(source.renewals.at(-1)).toEqual(["b"]);
    await held.end("b");
    const { length } = source.renewals;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(source.renewals).toHaveLength(length);
  });

  it("are renewed while a settlement waits for the server", async () => {
    const source = new ScriptedSource(fetched("a"));
    source.onSettle = away;
    await startWork(source, handling());
    await vi.advanceTimersByTimeAsync(3_000);
    expect(source.renewals).toEqual([["a"], ["a"], ["a"]]);
  });

  it("bring word of jobs that are to be cancelled", async () => {
    const source = new ScriptedSource(fetched("a"), fetched("b"));
    source.onKeepAlive = async () => ["b", "unknown"];
    await startWork(source, obedient(), { concurrency: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(source.endings).toEqual(["b cancelled"]);
  });

  it.each([
    ["tried again", {}],
    ["given up", { maxAttempts: 1 }],
  ])("bring word of a job that failed, was cancelled and would be %s", async (_what, changes) => {
    const end = deferred<void>();
    const source = new ScriptedSource(fetched("a", changes));
    source.onKeepAlive = async () => ["a"];
    const failing = handling(() => end.promise.then(() => Promise.reject(new Error("by itself"))));
    const { recorder, worker } = await startWork(source, failing);
    await settled();
    end.resolve();
    await settled();
    expect(source.endings).toEqual(["a cancelled"]);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(await stop(worker)).toMatchObject({ cancelled: 1, retried: 0, deadLettered: 0 });
  });

  it("are renewed once for all that fail meanwhile, and a renewal that fails holds nothing up", async () => {
    const source = new ScriptedSource(fetched("a"), fetched("b"), fetched("c"));
    source.onKeepAlive = away;
    const failing = handling(() => Promise.reject(new Error("by itself")));
    const { errors } = await startWork(source, failing, { concurrency: 3 });
    await settled();
    expect(source.endings).toEqual(["a retried", "b retried", "c retried"]);
    expect(source.renewals).toEqual([["a", "b", "c"]]);
    expect(errors).toHaveLength(1);
  });

  it("are renewed again after a renewal that failed", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"));
    source.onKeepAlive = away;
    const { errors } = await startWork(source, held.job);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(source.renewals).toHaveLength(3);
    expect(errors).toHaveLength(3);
    await held.end("a");
    expect(source.endings).toEqual(["a succeeded"]);
  });

  it("are renewed again, before they lapse, after a renewal that never answered", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"));
    source.onKeepAlive = () => (source.renewals.length === 1 ? never() : Promise.resolve([]));
    const { backend } = await startWork(source, held.job);
    await vi.advanceTimersByTimeAsync(1_000 + backend.leaseMs / 2);
    expect(source.renewals.length).toBeGreaterThan(1);
    await held.end("a");
    expect(source.endings).toEqual(["a succeeded"]);
  });
});

describe("stopping a worker", () => {
  it("takes no new work, lets what runs finish, and reports it", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"));
    const { worker } = await startWork(source, held.job);
    await settled();
    const stopping = worker.stop();
    source.push(fetched("b"));
    await vi.advanceTimersByTimeAsync(29_000);
    expect(held.contexts.get("a")?.signal.aborted).toBe(false);
    await held.end("a");
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 1, succeeded: 1, interrupted: 0, abandoned: 0 });
    expect(held.started).toEqual(["a"]);
    expect(source.closings).toBe(1);
  });

  it("aborts the signals after the grace, and hands back what ends then without an attempt spent", async () => {
    const source = new ScriptedSource(fetched("a"));
    const { worker, recorder } = await startWork(source, obedient());
    await settled();
    const stopping = worker.stop({ graceMs: 1_000, abortMs: 1_000 });
    await vi.advanceTimersByTimeAsync(950);
    expect(source.endings).toEqual([]);
    await vi.advanceTimersByTimeAsync(150);
    expect(await stopping).toMatchObject({ started: 1, interrupted: 1, abandoned: 0, retried: 0 });
    expect(source.endings).toEqual(["a handed-back"]);
    expect(recorder.finished).toEqual(["cancelled"]);
    expect(recorder.settled).toEqual([]);
  });

  it("counts a job that succeeds after its signal was aborted as succeeded", async () => {
    const source = new ScriptedSource(fetched("a"));
    const { worker } = await startWork(
      source,
      handling((_, { signal }) => aborted(signal)),
    );
    await settled();
    const stopping = worker.stop({ graceMs: 0 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await stopping).toMatchObject({ succeeded: 1, interrupted: 0 });
  });

  it("abandons what does not end, hands it back, and ignores its late end", async () => {
    const held = new HeldJob();
    const source = new ScriptedSource(fetched("a"), fetched("b"));
    const { worker, recorder } = await startWork(source, held.job, { concurrency: 2 });
    await settled();
    const stopping = worker.stop({ graceMs: 100, abortMs: 100 });
    await vi.advanceTimersByTimeAsync(190);
    expect(source.settlements).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    const report = await stopping;
    expect(report).toMatchObject({ started: 2, succeeded: 0, interrupted: 0, abandoned: 2 });
    expect(source.endings).toEqual(["a handed-back", "b handed-back"]);
    await held.end("a");
    await held.end("b", new Error("late"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(source.endings).toHaveLength(2);
    expect(recorder.settled).toEqual([]);
    expect(await stop(worker)).toEqual(report);
  });

  it("abandons at once with no time at all", async () => {
    const source = new ScriptedSource(fetched("a"));
    const { worker } = await startWork(
      source,
      handling(() => never()),
    );
    await settled();
    const startedAtMs = performance.now();
    const stopping = worker.stop({ graceMs: 0, abortMs: 0 });
    await settled();
    expect(await stopping).toMatchObject({ abandoned: 1 });
    expect(performance.now() - startedAtMs).toBeLessThan(50);
  });

  it("cancels what was cancelled, also while it stops", async () => {
    const source = new ScriptedSource(fetched("a"));
    const { engine, worker } = await startWork(source, obedient());
    await settled();
    const stopping = worker.stop();
    await engine.cancel("a");
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ cancelled: 1, interrupted: 0 });
  });

  it("hands back what a fetch brings after it has begun", async () => {
    const run = vi.fn();
    const source = new ScriptedSource();
    const answer = deferred<readonly FetchedJob[]>();
    source.onFetch = () => answer.promise;
    const { worker, recorder } = await startWork(source, handling(run), { concurrency: 2 });
    await settled();
    const stopping = worker.stop();
    answer.resolve([fetched("a"), fetched("b", { isCancelRequested: true })]);
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 0, interrupted: 0, abandoned: 0 });
    expect(run).not.toHaveBeenCalled();
    expect(source.endings).toEqual(["a handed-back", "b handed-back"]);
    expect(recorder.settled).toEqual([]);
  });

  it("ends a fetch that waits, through its signal", async () => {
    const source = new ScriptedSource();
    const { worker } = await startWork(source, handling());
    await settled();
    const stopping = worker.stop();
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 0 });
    expect(source.limits).toHaveLength(1);
  });

  it("does not wait for ever for a fetch that ignores its signal", async () => {
    const source = new ScriptedSource();
    source.onFetch = () => never();
    const { worker } = await startWork(source, handling());
    await settled();
    const stopping = worker.stop({ graceMs: 200, abortMs: 100 });
    // Beyond its own times, it gives a fetch some seconds to bring what goes back.
    await vi.advanceTimersByTimeAsync(300 + 5_000);
    expect(await stopping).toMatchObject({ started: 0, abandoned: 0 });
    expect(source.closings).toBe(1);
  });

  it("is told once, and answers everybody with the same report", async () => {
    const source = new ScriptedSource(fetched("a"));
    const { worker } = await startWork(source, handling());
    await settled();
    const stops = [worker.stop(), worker.stop({ graceMs: 1 }), worker[Symbol.asyncDispose]()];
    await vi.advanceTimersByTimeAsync(50);
    const [first, second] = await Promise.all(stops);
    expect(second).toBe(first);
    expect(source.closings).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[string, Partial<Pick<ScriptedSource, "onSettle" | "onClose">>]>([
    ["rejects to take jobs back", { onSettle: away }],
    ["never answers when jobs are handed back", { onSettle: () => never() }],
    [
      "throws when jobs are handed back",
      {
        onSettle() {
          throw new Error("no");
        },
      },
    ],
    ["rejects to close", { onClose: away }],
    ["never closes", { onClose: () => never() }],
  ])("ends in bounded time, and says so, when the source %s", async (_, misbehaviour) => {
    const source = new ScriptedSource(fetched("a"));
    Object.assign(source, misbehaviour);
    const { worker, errors } = await startWork(
      source,
      handling(() => never()),
    );
    await settled();
    const stopping = worker.stop({ graceMs: 10, abortMs: 10 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await stopping).toMatchObject({ started: 1, abandoned: 1 });
    expect(errors).toHaveLength(1);
    expect(source.closings).toBe(1);
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 31, "5", null])(
    "refuses %s for a time, and goes on",
    async (ms) => {
      const source = new ScriptedSource(fetched("a"));
      const { worker } = await startWork(source, handling());
      expect(() => worker.stop({ graceMs: ms as number })).toThrow("expected `graceMs` to be a whole number");
      expect(() => worker.stop({ abortMs: ms as number })).toThrow("expected `abortMs` to be a whole number");
      await settled();
      expect(source.endings).toEqual(["a succeeded"]);
    },
  );
});
