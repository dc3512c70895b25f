import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LeasedJob } from "../../src/backend.ts";
import {
  type DurableJob,
  defineJob,
  type JobHandlerContext,
  type JobWorker,
  PermanentJobError,
  type WorkerReport,
} from "../../src/index.ts";
import { aborted, type Deferred, deferred, never } from "../support/deferred.ts";
import {
  fetched,
  NextBringingConsumer,
  type ScriptedAnswer,
  ScriptedConsumer,
} from "../support/scripted-backend.ts";
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
    const consumer = new ScriptedConsumer(
      fetched("a", {
        attempt: 2,
        envelope: { payload: "hello", carrier: { traceparent: "1" }, correlationId: "order-1" },
        previousCarrier: { traceparent: "0" },
      }),
    );
    const { worker, recorder } = await startWork(
      consumer,
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
      previousCarrier: { traceparent: "0" },
      nextCarrier: {},
    };
    expect(seen).toEqual(["hello", delivery]);
    expect(consumer.endings).toEqual(["a succeeded"]);
    expect(recorder.started[0]?.delivery).toEqual(delivery);
    expect(recorder.settled).toEqual([
      { jobName: "send_mail", delivery, outcome: "succeeded", error: undefined },
    ]);
    expect(await stop(worker)).toEqual({
      started: 1,
      succeeded: 1,
      retried: 0,
      snoozed: 0,
      deadLettered: 0,
      cancelled: 0,
      interrupted: 0,
      abandoned: 0,
    });
  });

  it("hand handlers a context that may be copied, and a delivery that cannot be changed", async () => {
    const copies: JobHandlerContext[] = [];
    const consumer = new ScriptedConsumer(fetched("a"));
    await startWork(
      consumer,
      handling((_, context) => {
        copies.push({ ...context });
        expect(() => Object.assign(context.delivery as object, { attempt: 99 })).toThrow(TypeError);
      }),
    );
    await settled();
    expect(consumer.endings).toEqual(["a succeeded"]);
    expect(copies[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(copies[0]?.delivery).toMatchObject({ jobId: "a", attempt: 1 });
  });

  it("are retried after a backoff, until the last attempt, which is a dead letter", async () => {
    const consumer = new ScriptedConsumer(fetched("a"), fetched("b", { attempt: 5 }));
    const { worker, recorder } = await startWork(
      consumer,
      handling(() => {
        throw new Error("no paper");
      }),
    );
    await settled();
    const [first, last] = consumer.settlements.map(({ outcome }) => outcome);
    expect(first).toMatchObject({ type: "retried", error: "no paper" });
    const { delayMs } = first as { delayMs: number };
    expect(delayMs).toBeGreaterThanOrEqual(125);
    expect(delayMs).toBeLessThanOrEqual(250);
    expect(last).toEqual({ type: "dead-lettered", error: "no paper" });
    expect(recorder.outcomes).toEqual(["retried", "dead-lettered"]);
    expect(await stop(worker)).toMatchObject({ started: 2, retried: 1, deadLettered: 1 });
  });

  it("are dead letters at once after a PermanentJobError", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    await startWork(
      consumer,
      handling(async () => {
        throw new PermanentJobError("no such address");
      }),
    );
    await settled();
    expect(consumer.settlements[0]?.outcome).toEqual({ type: "dead-lettered", error: "no such address" });
  });

  it("fail for good on a delivery beyond the last attempt, without a run: its workers died", async () => {
    const run = vi.fn();
    const unrecorded =
      "was never recorded: its worker died or lost its lease, or the delivery was lost on its way";
    const consumer = new ScriptedConsumer(
      fetched("a", { attempt: 6 }),
      fetched("b", { attempt: 2, maxAttempts: 1 }),
    );
    const { worker, recorder } = await startWork(consumer, handling(run));
    await settled();
    expect(run).not.toHaveBeenCalled();
    expect(consumer.settlements.map(({ outcome }) => outcome)).toEqual([
      { type: "dead-lettered", error: `given up: the end of attempt 5 of 5 ${unrecorded}` },
      { type: "dead-lettered", error: `given up: the end of its only attempt ${unrecorded}` },
    ]);
    expect(recorder.outcomes).toEqual(["dead-lettered", "dead-lettered"]);
    expect(recorder.started).toEqual([]);
    expect(await stop(worker)).toMatchObject({ started: 0, deadLettered: 2 });
  });

  it("do not run when they were cancelled before", async () => {
    const run = vi.fn();
    const consumer = new ScriptedConsumer(fetched("a", { isCancelRequested: true, attempt: 9 }));
    const { worker, recorder } = await startWork(consumer, handling(run));
    await settled();
    expect(run).not.toHaveBeenCalled();
    expect(consumer.endings).toEqual(["a cancelled"]);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(await stop(worker)).toMatchObject({ started: 0, cancelled: 1 });
  });

  it("are told of a cancellation through their signal, and end as cancelled", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const { engine, worker, recorder } = await startWork(consumer, obedient());
    await settled();
    expect(await engine.cancel("a")).toBe(true);
    await settled();
    expect(consumer.endings).toEqual(["a cancelled"]);
    expect(recorder.finished).toEqual(["cancelled"]);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(await stop(worker)).toMatchObject({ started: 1, cancelled: 1, interrupted: 0 });
  });

  it("count as they end when a cancelled handler finishes all the same", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"));
    const { engine } = await startWork(consumer, held.job);
    await settled();
    await engine.cancel("a");
    await held.end("a");
    expect(consumer.endings).toEqual(["a succeeded"]);
  });

  it("time out as failures, which are retried", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const job = handling(
      async (_, { signal }) => {
        await aborted(signal);
        throw signal.reason;
      },
      { timeoutMs: 100 },
    );
    const { recorder } = await startWork(consumer, job);
    await vi.advanceTimersByTimeAsync(100);
    expect(consumer.endings).toEqual(["a retried"]);
    expect(recorder.finished).toEqual(["failure"]);
  });

  it("keep an error's message within what stores take", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    await startWork(
      consumer,
      handling(() => {
        throw new Error(`\u0000\ud800${"x".repeat(1_997)}😀tail`);
      }),
    );
    await settled();
    const error = `\ufffd\ufffd${"x".repeat(1_997)}\ufffd`;
    expect(consumer.settlements[0]?.outcome).toMatchObject({ type: "retried", error });
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
        const consumer = new ScriptedConsumer(fetched("a", { attempt: 5 }));
        await startWork(
          consumer,
          handling(() => {
            throw thrown;
          }),
        );
        await new Promise((resolve) => setTimeout(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        expect(unhandled).not.toHaveBeenCalled();
        expect(consumer.endings).toEqual(["a dead-lettered"]);
      } finally {
        process.off("unhandledRejection", unhandled);
      }
    },
  );

  it("run when observers and `onError` throw", async () => {
    const broken = (): never => {
      throw new Error("no");
    };
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onFetch = async (limit, signal) => {
      if (consumer.limits.length === 1) throw new Error("away");
      return consumer.deliver(limit, signal);
    };
    const { worker } = await startWork(consumer, handling(), {
      onError: broken,
      runner: new ObservedJobRunner(
        { onJobStarted: broken, onJobFinished: broken, onJobSettled: broken, runInScope: broken },
        { onObserverError: () => {} },
      ),
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(consumer.endings).toEqual(["a succeeded"]);
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
    const consumer = new ScriptedConsumer(fetched("a"));
    let failuresLeft = 4;
    consumer.onSettle = async () => {
      if (failuresLeft-- > 0) throw new Error("away");
      return { isRecorded: true };
    };
    const { worker, recorder, errors } = await startWork(consumer, handling(run));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(1);
    expect(consumer.endings).toEqual(Array(5).fill("a succeeded"));
    expect(errors).toHaveLength(4);
    expect(recorder.outcomes).toEqual(["succeeded"]);
    expect(await stop(worker)).toMatchObject({ started: 1, succeeded: 1, abandoned: 0 });
  });

  it("wait longer from failure to failure, and never more than 5 s", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onSettle = away;
    await startWork(consumer, handling());
    await vi.advanceTimersByTimeAsync(2_000);
    expect(consumer.settlements.length).toBeLessThanOrEqual(5);
    await vi.advanceTimersByTimeAsync(58_000);
    const { length } = consumer.settlements;
    expect(length).toBeGreaterThanOrEqual(12);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(consumer.settlements.length - length).toBeGreaterThanOrEqual(2);
    expect(consumer.settlements.length - length).toBeLessThanOrEqual(4);
  });

  it("tell of a cancel that the engine has recorded instead of a failure", async () => {
    const consumer = new ScriptedConsumer(fetched("a", { attempt: 5 }), fetched("b"));
    consumer.onSettle = async () => ({ isRecorded: true, isCancelled: true });
    const { worker, recorder } = await startWork(
      consumer,
      handling(() => {
        throw new Error("always");
      }),
      { concurrency: 2 },
    );
    await settled();
    expect(consumer.endings).toEqual(["a dead-lettered", "b retried"]);
    expect(recorder.settled.map(({ outcome, error }) => `${outcome}: ${error?.message}`)).toEqual([
      "cancelled: always",
      "cancelled: always",
    ]);
    expect(await stop(worker)).toMatchObject({ started: 2, cancelled: 2, retried: 0, deadLettered: 0 });
  });

  it("hold at most one more round of jobs while the server does not answer", async () => {
    const consumer = new ScriptedConsumer(
      ...Array.from({ length: 50 }, (_, index) => fetched(`job-${index}`)),
    );
    consumer.onSettle = () => never();
    const run = vi.fn();
    await startWork(consumer, handling(run), { concurrency: 3 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(run.mock.calls.length).toBeLessThanOrEqual(9);
  });

  it("do not hand back at the end what has run already: its own ending is tried once more", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onSettle = away;
    const { worker } = await startWork(consumer, handling());
    await settled();
    const stopping = worker.stop({ graceMs: 0, abortMs: 0 });
    await vi.advanceTimersByTimeAsync(20_000);
    await stopping;
    expect(new Set(consumer.endings)).toEqual(new Set(["a succeeded"]));
  });
});

describe("a worker's slots", () => {
  const four = (): LeasedJob[] => ["a", "b", "c", "d"].map((id) => fetched(id));

  it.each([false, true])(
    "are never exceeded (settlements that bring the next job: %s)",
    async (bringsNext) => {
      const held = new HeldJob();
      const consumer = new (bringsNext ? NextBringingConsumer : ScriptedConsumer)(...four());
      await startWork(consumer, held.job, { concurrency: 2 });
      await settled();
      expect(held.started).toEqual(["a", "b"]);
      await held.end("b");
      expect(held.started).toEqual(["a", "b", "c"]);
      await held.end("a");
      await held.end("c");
      await held.end("d");
      expect(held.mostRunning).toBe(2);
      expect(Math.max(...consumer.limits)).toBeLessThanOrEqual(2);
      expect(consumer.endings).toEqual(["b succeeded", "a succeeded", "c succeeded", "d succeeded"]);
    },
  );

  it("run one job at a time by default", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(...four());
    await startWork(consumer, held.job);
    await settled();
    expect(held.started).toEqual(["a"]);
    expect(consumer.limits).toEqual([1]);
  });

  it("are fetched for several slots at once, if a fetch takes longer than handlers are apart", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(...four(), ...["e", "f"].map((id) => fetched(id)));
    consumer.onFetch = async (limit, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 8));
      return consumer.deliver(limit, signal);
    };
    await startWork(consumer, held.job, { concurrency: 3 });
    await vi.advanceTimersByTimeAsync(8);
    await held.end("a");
    expect(consumer.limits, "it waits for another slot").toEqual([3]);
    await held.end("b");
    expect(consumer.limits, "half of them are worth a fetch").toEqual([3, 2]);
    await vi.advanceTimersByTimeAsync(8);
    expect(held.started).toEqual(["a", "b", "c", "d", "e"]);
    await held.end("c");
    expect(consumer.limits).toEqual([3, 2]);
    await vi.advanceTimersByTimeAsync(8);
    expect(consumer.limits, "no longer than a fetch takes").toEqual([3, 2, 1]);
  });

  it("are fetched for at once while most of them are free", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onFetch = async (limit, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 8));
      return consumer.deliver(limit, signal);
    };
    await startWork(consumer, held.job, { concurrency: 10 });
    await vi.advanceTimersByTimeAsync(8);
    expect(held.started).toEqual(["a"]);
    expect(consumer.limits).toEqual([10, 9]);
  });

  it("run the next job that a settlement brings, in the same slot", async () => {
    const held = new HeldJob();
    const consumer = new NextBringingConsumer(...four());
    const more = ["e", "f", "g"];
    consumer.onSettle = async () => {
      const id = more.shift();
      return { isRecorded: true, next: id === undefined ? undefined : fetched(id) };
    };
    await startWork(consumer, held.job, { concurrency: 2 });
    await settled();
    for (const id of ["a", "b", "e"]) await held.end(id);
    expect(held.started).toEqual(["a", "b", "e", "f", "g"]);
    expect(consumer.limits).toEqual([2]);
    for (const id of ["f", "c", "g", "d"]) await held.end(id);
    expect(held.started.toSorted()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    expect(held.mostRunning).toBe(2);
  });

  it("ask for no further job if none is brought", async () => {
    const consumer = new ScriptedConsumer(...four());
    await startWork(consumer, handling());
    await settled();
    expect(consumer.settlements.map(({ wantsNext }) => wantsNext)).toEqual([false, false, false, false]);
  });

  it("hand back the next job that arrives while stopping", async () => {
    const run = vi.fn();
    const consumer = new NextBringingConsumer(fetched("a"));
    const answer = deferred<ScriptedAnswer>();
    consumer.onSettle = ({ id }) => (id === "a" ? answer.promise : Promise.resolve({ isRecorded: true }));
    const { worker } = await startWork(consumer, handling(run));
    await settled();
    const stopping = worker.stop();
    answer.resolve({ isRecorded: true, next: fetched("b") });
    await vi.advanceTimersByTimeAsync(100);
    expect(await stopping).toMatchObject({ started: 1, succeeded: 1, interrupted: 0, abandoned: 0 });
    expect(run).toHaveBeenCalledTimes(1);
    expect(consumer.endings).toEqual(["a succeeded", "b released"]);
    expect(consumer.settlements[1]?.wantsNext).toBe(false);
  });

  it("survive a consumer that delivers more than was asked for, and fetch again when there is room", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer();
    consumer.onFetch = async (limit, signal) =>
      consumer.limits.length === 1 ? four() : consumer.deliver(limit, signal);
    await startWork(consumer, held.job);
    await settled();
    for (const id of ["a", "b", "c", "d"]) await held.end(id);
    expect(consumer.endings).toHaveLength(4);
    expect(consumer.limits).toEqual([1, 1]);
  });

  it("are not lost to a job of a name that the worker did not ask for, and nothing is left unhandled", async () => {
    vi.useRealTimers();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const consumer = new ScriptedConsumer(fetched("a", { name: "unknown" }), fetched("b"));
      await startWork(consumer, handling());
      await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
      expect(consumer.endings).toContain("a released");
      expect(consumer.endings).toContain("b succeeded");
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

describe("a worker whose consumer breaks its contract", () => {
  it("says so, leaves nothing unhandled, and goes on with what follows", async () => {
    vi.useRealTimers();
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const broken = { ...fetched("a"), envelope: undefined } as unknown as LeasedJob;
      const consumer = new ScriptedConsumer(broken, fetched("b"));
      const { errors } = await startWork(consumer, handling());
      await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
      expect(errors).toHaveLength(1);
      expect(consumer.endings).toContain("b succeeded");
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

describe("a worker whose fetch rejects", () => {
  it("says so, waits longer each time but never long, and recovers", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    let isAway = true;
    consumer.onFetch = (limit, signal) => (isAway ? away() : consumer.deliver(limit, signal));
    const { errors } = await startWork(consumer, handling());
    await settled();
    expect(consumer.limits).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(consumer.limits.length).toBeLessThanOrEqual(5);
    await vi.advanceTimersByTimeAsync(58_000);
    const { length } = consumer.limits;
    expect(length).toBeGreaterThanOrEqual(12);
    expect(length).toBeLessThanOrEqual(30);
    expect(errors).toHaveLength(length);
    isAway = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(consumer.endings).toEqual(["a succeeded"]);
  });

  it("begins with short waits again after a success", async () => {
    const consumer = new ScriptedConsumer();
    let isAway = true;
    consumer.onFetch = (limit, signal) => (isAway ? away() : consumer.deliver(limit, signal));
    await startWork(consumer, handling());
    await vi.advanceTimersByTimeAsync(60_000);
    isAway = false;
    await vi.advanceTimersByTimeAsync(5_000);
    isAway = true;
    consumer.push(fetched("a"));
    await settled();
    const { length } = consumer.limits;
    await vi.advanceTimersByTimeAsync(250);
    expect(consumer.limits.length).toBeGreaterThan(length);
  });

  it("stops at once while it waits for the server", async () => {
    const consumer = new ScriptedConsumer();
    consumer.onFetch = away;
    const { worker } = await startWork(consumer, handling());
    await vi.advanceTimersByTimeAsync(60_000);
    const stopping = worker.stop();
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 0 });
  });
});

describe("a settlement", () => {
  it("is counted and told once if a worker that stops asked for it twice", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const first = deferred<ScriptedAnswer>();
    consumer.onSettle = () =>
      consumer.settlements.length === 1 ? first.promise : Promise.resolve({ isRecorded: true });
    const { worker, recorder } = await startWork(consumer, handling());
    await settled();
    const stopping = worker.stop({ graceMs: 10, abortMs: 10 });
    await vi.advanceTimersByTimeAsync(100);
    first.resolve({ isRecorded: true });
    await settled();
    expect(await stopping).toMatchObject({ succeeded: 1, abandoned: 0 });
    expect(consumer.endings).toEqual(["a succeeded", "a succeeded"]);
    expect(recorder.outcomes).toEqual(["succeeded"]);
  });
});

describe("a worker's leases", () => {
  it("are renewed about every quarter of their time while jobs run, and not otherwise", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"), fetched("b"));
    await startWork(consumer, held.job, { concurrency: 2 });
    await vi.advanceTimersByTimeAsync(18_000);
    expect(consumer.renewals).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["a", "b"],
    ]);
    await held.end("a");
    await vi.advanceTimersByTimeAsync(8_000);
    expect(consumer.renewals.at(-1)).toEqual(["b"]);
    await held.end("b");
    const { length } = consumer.renewals;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(consumer.renewals).toHaveLength(length);
  });

  it("are not renewed again once they are lost for good, of which cancellations are still asked for", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"), fetched("b"));
    consumer.onRenewLeases = async () => ["a"];
    await startWork(consumer, held.job, { concurrency: 2 });
    await vi.advanceTimersByTimeAsync(9_000);
    expect(consumer.renewals).toEqual([["a", "b"], ["b"]]);
    expect(consumer.questions.at(-1)).toEqual(["a", "b"]);
  });

  it("need no answer to their renewal", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onRenewLeases = async () => {};
    const { errors } = await startWork(consumer, held.job);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(consumer.renewals).toEqual([["a"], ["a"]]);
    expect(errors).toEqual([]);
  });

  it("are renewed while a settlement waits for the server", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onSettle = away;
    await startWork(consumer, handling());
    await vi.advanceTimersByTimeAsync(18_000);
    expect(consumer.renewals).toEqual([["a"], ["a"], ["a"]]);
  });

  it("are asked every second for jobs that are to be cancelled", async () => {
    const consumer = new ScriptedConsumer(fetched("a"), fetched("b"));
    consumer.onCancelRequests = async () => ["b", "unknown"];
    await startWork(consumer, obedient(), { concurrency: 2 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(consumer.endings).toEqual(["b cancelled"]);
  });

  it.each([
    ["tried again", {}],
    ["given up", { maxAttempts: 1 }],
  ])("are asked for a job that failed, was cancelled and would be %s", async (_what, changes) => {
    const end = deferred<void>();
    const consumer = new ScriptedConsumer(fetched("a", changes));
    consumer.onCancelRequests = async () => ["a"];
    const failing = handling(() => end.promise.then(() => Promise.reject(new Error("by itself"))));
    const { recorder, worker } = await startWork(consumer, failing);
    await settled();
    end.resolve();
    await settled();
    expect(consumer.endings).toEqual(["a cancelled"]);
    expect(recorder.outcomes).toEqual(["cancelled"]);
    expect(await stop(worker)).toMatchObject({ cancelled: 1, retried: 0, deadLettered: 0 });
  });

  it("are asked once for all that fail meanwhile, and a question that fails holds nothing up", async () => {
    const consumer = new ScriptedConsumer(fetched("a"), fetched("b"), fetched("c"));
    consumer.onCancelRequests = away;
    const failing = handling(() => Promise.reject(new Error("by itself")));
    const { errors } = await startWork(consumer, failing, { concurrency: 3 });
    await settled();
    expect(consumer.endings).toEqual(["a retried", "b retried", "c retried"]);
    expect(consumer.questions).toEqual([["a", "b", "c"]]);
    expect(errors).toHaveLength(1);
  });

  it("are renewed again, a second later, after a renewal that failed", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onRenewLeases = away;
    const { errors } = await startWork(consumer, held.job);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(consumer.renewals).toHaveLength(3);
    expect(errors).toHaveLength(3);
    await held.end("a");
    expect(consumer.endings).toEqual(["a succeeded"]);
  });

  it("are renewed again, before they lapse, after a renewal that never answered", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onRenewLeases = () => (consumer.renewals.length === 1 ? never() : Promise.resolve([]));
    const { backend } = await startWork(consumer, held.job);
    await vi.advanceTimersByTimeAsync(1_000 + backend.leaseMs / 2);
    expect(consumer.renewals.length).toBeGreaterThan(1);
    await held.end("a");
    expect(consumer.endings).toEqual(["a succeeded"]);
  });
});

describe("stopping a worker", () => {
  it("takes no new work, lets what runs finish, and reports it", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"));
    const { worker } = await startWork(consumer, held.job);
    await settled();
    const stopping = worker.stop();
    consumer.push(fetched("b"));
    await vi.advanceTimersByTimeAsync(29_000);
    expect(held.contexts.get("a")?.signal.aborted).toBe(false);
    await held.end("a");
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 1, succeeded: 1, interrupted: 0, abandoned: 0 });
    expect(held.started).toEqual(["a"]);
    expect(consumer.closings).toBe(1);
  });

  it("aborts the signals after the grace, and releases what ends then without an attempt spent", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const { worker, recorder } = await startWork(consumer, obedient());
    await settled();
    const stopping = worker.stop({ graceMs: 1_000, abortMs: 1_000 });
    await vi.advanceTimersByTimeAsync(950);
    expect(consumer.endings).toEqual([]);
    await vi.advanceTimersByTimeAsync(150);
    expect(await stopping).toMatchObject({ started: 1, interrupted: 1, abandoned: 0, retried: 0 });
    expect(consumer.endings).toEqual(["a released"]);
    expect(recorder.finished).toEqual(["cancelled"]);
    expect(recorder.settled).toEqual([]);
  });

  it("counts a job that succeeds after its signal was aborted as succeeded", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const { worker } = await startWork(
      consumer,
      handling((_, { signal }) => aborted(signal)),
    );
    await settled();
    const stopping = worker.stop({ graceMs: 0 });
    await vi.advanceTimersByTimeAsync(100);
    expect(await stopping).toMatchObject({ succeeded: 1, interrupted: 0 });
  });

  it("abandons what does not end, hands it back, and ignores its late end", async () => {
    const held = new HeldJob();
    const consumer = new ScriptedConsumer(fetched("a"), fetched("b"));
    const { worker, recorder } = await startWork(consumer, held.job, { concurrency: 2 });
    await settled();
    const stopping = worker.stop({ graceMs: 100, abortMs: 100 });
    await vi.advanceTimersByTimeAsync(190);
    expect(consumer.settlements).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    const report = await stopping;
    expect(report).toMatchObject({ started: 2, succeeded: 0, interrupted: 0, abandoned: 2 });
    expect(consumer.endings).toEqual(["a released", "b released"]);
    await held.end("a");
    await held.end("b", new Error("late"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(consumer.endings).toHaveLength(2);
    expect(recorder.settled).toEqual([]);
    expect(await stop(worker)).toEqual(report);
  });

  it("abandons at once with no time at all", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const { worker } = await startWork(
      consumer,
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
    const consumer = new ScriptedConsumer(fetched("a"));
    const { engine, worker } = await startWork(consumer, obedient());
    await settled();
    const stopping = worker.stop();
    await engine.cancel("a");
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ cancelled: 1, interrupted: 0 });
  });

  it("releases what a fetch brings after it has begun", async () => {
    const run = vi.fn();
    const consumer = new ScriptedConsumer();
    const answer = deferred<readonly LeasedJob[]>();
    consumer.onFetch = () => answer.promise;
    const { worker, recorder } = await startWork(consumer, handling(run), { concurrency: 2 });
    await settled();
    const stopping = worker.stop();
    answer.resolve([fetched("a"), fetched("b", { isCancelRequested: true })]);
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 0, interrupted: 0, abandoned: 0 });
    expect(run).not.toHaveBeenCalled();
    expect(consumer.endings).toEqual(["a released", "b released"]);
    expect(recorder.settled).toEqual([]);
  });

  it("ends a fetch that waits, through its signal", async () => {
    const consumer = new ScriptedConsumer();
    const { worker } = await startWork(consumer, handling());
    await settled();
    const stopping = worker.stop();
    await vi.advanceTimersByTimeAsync(50);
    expect(await stopping).toMatchObject({ started: 0 });
    expect(consumer.limits).toHaveLength(1);
  });

  it("does not wait for ever for a fetch that ignores its signal", async () => {
    const consumer = new ScriptedConsumer();
    consumer.onFetch = () => never();
    const { worker } = await startWork(consumer, handling());
    await settled();
    const stopping = worker.stop({ graceMs: 200, abortMs: 100 });
    // Beyond its own times, it gives a fetch some seconds to bring what goes back.
    await vi.advanceTimersByTimeAsync(300 + 5_000);
    expect(await stopping).toMatchObject({ started: 0, abandoned: 0 });
    expect(consumer.closings).toBe(1);
  });

  it("is told once, and answers everybody with the same report", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const { worker } = await startWork(consumer, handling());
    await settled();
    const stops = [worker.stop(), worker.stop({ graceMs: 1 }), worker[Symbol.asyncDispose]()];
    await vi.advanceTimersByTimeAsync(50);
    const [first, second] = await Promise.all(stops);
    expect(second).toBe(first);
    expect(consumer.closings).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[string, Partial<Pick<ScriptedConsumer, "onSettle" | "onClose">>]>([
    ["rejects to take jobs back", { onSettle: away }],
    ["never answers when jobs are released", { onSettle: () => never() }],
    [
      "throws when jobs are released",
      {
        onSettle() {
          throw new Error("no");
        },
      },
    ],
    ["rejects to close", { onClose: away }],
    ["never closes", { onClose: () => never() }],
  ])("ends in bounded time, and says so, when the consumer %s", async (_, misbehaviour) => {
    const consumer = new ScriptedConsumer(fetched("a"));
    Object.assign(consumer, misbehaviour);
    const { worker, errors } = await startWork(
      consumer,
      handling(() => never()),
    );
    await settled();
    const stopping = worker.stop({ graceMs: 10, abortMs: 10 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await stopping).toMatchObject({ started: 1, abandoned: 1 });
    expect(errors).toHaveLength(1);
    expect(consumer.closings).toBe(1);
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 31, "5", null])(
    "refuses %s for a time, and goes on",
    async (ms) => {
      const consumer = new ScriptedConsumer(fetched("a"));
      const { worker } = await startWork(consumer, handling());
      expect(() => worker.stop({ graceMs: ms as number })).toThrow("expected `graceMs` to be a whole number");
      expect(() => worker.stop({ abortMs: ms as number })).toThrow("expected `abortMs` to be a whole number");
      await settled();
      expect(consumer.endings).toEqual(["a succeeded"]);
    },
  );
});
