import { getEventListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { isCancellation, neverAbortedSignal } from "../../src/adapter.ts";
import { type AsyncJob, AsyncJobQueue, type AsyncJobQueueRunOptions, asyncJob } from "../../src/index.ts";
import { settled } from "../support/deferred.ts";
import { heldBytesAfter } from "../support/heap.ts";
import { hostileProxy } from "../support/hostile.ts";

/** Waits for its signal to abort, and rejects with what `end` returns. */
const waiting = (name: string, end: (signal: AbortSignal) => unknown = ({ reason }) => reason): AsyncJob =>
  asyncJob(
    name,
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(end(signal)))),
  );

describe("an aborted signal", () => {
  it("keeps further jobs from starting, and runAll reports all of them", async () => {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(
      asyncJob("done", async () => {}),
      waiting("running"),
      waiting("never"),
      waiting("never either"),
    );
    const run = queue.runAll({ signal: aborting.signal });
    await settled();
    aborting.abort();
    const report = await run;
    expect(report.completed).toEqual(["done"]);
    expect(report.cancelled).toEqual(["running"]);
    expect(report.notStarted).toEqual(["never", "never either"]);
    expect([report.failed, report.wasAborted, report.isSuccess]).toEqual([[], true, false]);
  });

  it("leaves jobs that a drain did not start in the queue", async () => {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(waiting("running"), waiting("still there"));
    const run = queue.drain({ signal: aborting.signal });
    aborting.abort();
    const report = await run;
    expect([report.cancelled, report.notStarted, report.wasAborted]).toEqual([["running"], [], true]);
    expect(queue.size).toBe(1);
    const after = await queue.drain({ signal: aborting.signal });
    expect([after.wasAborted, queue.size]).toEqual([true, 1]);
  });

  it("starts no job that is pushed to a drain after the abort", async () => {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(waiting("running"));
    const run = queue.drain({ signal: aborting.signal, concurrency: 2 });
    aborting.abort();
    queue.push(waiting("late"));
    await run;
    expect(queue.size).toBe(1);
  });

  it("waits for running jobs that ignore it", async () => {
    const aborting = new AbortController();
    let hasEnded = false;
    const queue = new AsyncJobQueue();
    queue.push(
      asyncJob("stubborn", async () => {
        await delay(5);
        hasEnded = true;
      }),
    );
    const run = queue.runAll({ signal: aborting.signal });
    aborting.abort();
    const report = await run;
    expect(hasEnded).toBe(true);
    expect([report.completed, report.wasAborted, report.isSuccess]).toEqual([["stubborn"], true, false]);
  });

  it("has no effect after the last job, or on an empty queue", async () => {
    const aborting = new AbortController();
    const queue = new AsyncJobQueue();
    queue.push(asyncJob("a", async () => {}));
    const report = await queue.drain({ signal: aborting.signal });
    aborting.abort();
    expect([report.wasAborted, report.isSuccess]).toEqual([false, true]);
    expect((await queue.drain({ signal: aborting.signal })).isSuccess).toBe(true);
  });

  it("leaves any other error, and a timeout, a failure", async () => {
    for (const [reason, end, isCancelled] of [
      [new Error("stop"), ({ reason }: AbortSignal) => reason, true],
      ["a string", ({ reason }: AbortSignal) => reason, true],
      [new Error("stop"), () => new DOMException("gone", "AbortError"), true],
      [new Error("stop"), () => new Error("broke while stopping"), false],
      [new DOMException("late", "TimeoutError"), ({ reason }: AbortSignal) => reason, false],
      [new DOMException("late", "TimeoutError"), () => new DOMException("gone", "AbortError"), false],
    ] as const) {
      const aborting = new AbortController();
      const queue = new AsyncJobQueue();
      queue.push(waiting("job", end));
      const run = queue.runAll({ signal: aborting.signal });
      aborting.abort(reason);
      const report = await run;
      expect([report.cancelled.length, report.failed.length]).toEqual(isCancelled ? [1, 0] : [0, 1]);
    }
  });

  it("causes no warning when many running jobs listen to it", async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", note);
    try {
      const aborting = new AbortController();
      const queue = new AsyncJobQueue();
      for (let i = 0; i < 200; i++) queue.push(waiting("listener"));
      const run = queue.runAll({ signal: aborting.signal, concurrency: 100 });
      await settled();
      aborting.abort();
      expect((await run).cancelled).toHaveLength(100);
      await settled();
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", note);
    }
  });
});

describe("isCancellation", () => {
  it("never throws, whatever the error or the reason", () => {
    const aborting = new AbortController();
    aborting.abort(hostileProxy(new Error("x")));
    expect(isCancellation(hostileProxy(new Error("y")), aborting.signal)).toBe(false);
    expect(isCancellation(aborting.signal.reason, aborting.signal)).toBe(true);
  });

  const reason = new Error("deploy");
  const aborted = (why: unknown = reason): AbortSignal => AbortSignal.abort(why);
  class APIUserAbortError extends Error {}
  class CanceledError extends Error {}

  it.each([
    ["has the reason as its cause", new Error("command failed", { cause: reason })],
    ["has Node's code", Object.assign(new Error("x"), { code: "ABORT_ERR" })],
    ["has the code of axios", Object.assign(new Error("x"), { code: "ERR_CANCELED" })],
    ["is named CanceledError", Object.assign(new Error("x"), { name: "CanceledError" })],
    ["is named like an AbortError", Object.assign(new Error("x"), { name: "RequestAbortError" })],
    ["is of a class that is named like an AbortError", new APIUserAbortError("x")],
    ["is of the class CanceledError", new CanceledError("x")],
    [
      "is an AbortError of another realm",
      runInNewContext("Object.assign(new Error(), { name: 'AbortError' })"),
    ],
  ])("is the end of a run whose error %s", (_, error) => {
    expect(isCancellation(error, aborted())).toBe(true);
    expect(isCancellation(error, new AbortController().signal)).toBe(false);
    expect(isCancellation(error, aborted(new DOMException("late", "TimeoutError")))).toBe(false);
    expect(isCancellation(error, aborted({ name: "TimeoutError" }))).toBe(false);
  });

  it.each([
    ["another cause", new Error("x", { cause: new Error("deploy") })],
    ["another code", Object.assign(new Error("x"), { code: "ECONNRESET" })],
    ["a name that only begins alike", Object.assign(new Error("x"), { name: "AbortErrorHandlerBroke" })],
    ["a timeout of its own", new DOMException("late", "TimeoutError")],
    ["nothing", undefined],
  ])("is not the end of a run that throws %s", (_, error) => {
    expect(isCancellation(error, aborted())).toBe(false);
  });

  it("compares the cause only if there is a reason", () => {
    const signal = { aborted: true } as AbortSignal;
    expect(isCancellation(new Error("x"), signal)).toBe(false);
    expect(isCancellation({ name: "AbortError" }, signal)).toBe(true);
  });

  it("needs an aborted signal", () => {
    expect(isCancellation(new DOMException("gone", "AbortError"), new AbortController().signal)).toBe(false);
  });
});

describe("a signal that is not one of Node's", () => {
  it("is a signal if it has aborted and addEventListener", async () => {
    const listeners: (() => void)[] = [];
    const foreign = {
      aborted: false,
      reason: undefined as unknown,
      addEventListener: (_: string, listener: () => void) => void listeners.push(listener),
    };
    const queue = new AsyncJobQueue();
    queue.push(waiting("running"), waiting("never"));
    const run = queue.runAll({ signal: foreign as unknown as AbortSignal });
    await settled();
    Object.assign(foreign, { aborted: true, reason: new Error("stop") });
    for (const listener of listeners) listener();
    const report = await run;
    expect([report.cancelled, report.notStarted]).toEqual([["running"], ["never"]]);
  });

  it("breaks no run with a reason or a constructor that cannot be read", async () => {
    const refuse = (): never => {
      throw new Error("hands off");
    };
    let isAborted = false;
    const foreign = Object.defineProperties(new EventTarget(), {
      aborted: { get: () => isAborted },
      reason: { get: refuse },
      constructor: { get: refuse },
    }) as AbortSignal;
    for (const method of ["runAll", "drain"] as const) {
      isAborted = false;
      const queue = new AsyncJobQueue();
      const abort = asyncJob("abort", async () => {
        isAborted = true;
      });
      queue.push(
        abort,
        asyncJob("never", async () => {}),
      );
      const report = await queue[method]({ signal: foreign });
      expect([report.completed, report.wasAborted]).toEqual([["abort"], true]);
      expect(report.abortReason).toMatchObject({ name: "AbortError" });
      expect(() => report.throwIfFailed()).toThrow("the run was aborted");
    }
  });

  it.each(["runAll", "drain"] as const)("breaks no %s if it can no longer be read", async (method) => {
    let reads = 0;
    const foreign = Object.defineProperties(new EventTarget(), {
      aborted: {
        get() {
          if (reads++ === 0) return false;
          throw new Error("hands off");
        },
      },
    }) as AbortSignal;
    const queue = new AsyncJobQueue();
    queue.push(
      asyncJob("a", async () => {}),
      asyncJob("b", () => Promise.reject(new Error("out of paper"))),
      asyncJob("c", async () => {}),
    );
    const report = await queue[method]({ signal: foreign });
    expect([report.completed, report.failed.length, report.wasAborted]).toEqual([["a", "c"], 1, false]);
  });

  it("is refused without them", async () => {
    for (const signal of [{ aborted: false }, { addEventListener() {} }, null, 7]) {
      await expect(new AsyncJobQueue().drain({ signal: signal as never })).rejects.toThrow(
        "expected `signal` to be an AbortSignal",
      );
    }
  });
});

describe("neverAbortedSignal", () => {
  it("is what jobs get without a signal, and works wherever a signal is needed", async () => {
    const queue = new AsyncJobQueue();
    const seen: AbortSignal[] = [];
    queue.push(asyncJob("look", (signal) => delay(1, seen.push(signal), { signal })));
    expect((await queue.runAll()).isSuccess).toBe(true);
    expect(seen[0]).toBe(neverAbortedSignal());
    expect(seen[0]).toBeInstanceOf(AbortSignal);
    expect(seen[0]?.aborted).toBe(false);
    expect(() => seen[0]?.throwIfAborted()).not.toThrow();
  });

  it("calls no listener and stores none", () => {
    const signal = neverAbortedSignal();
    let calls = 0;
    signal.addEventListener("abort", () => calls++);
    signal.onabort = () => calls++;
    signal.dispatchEvent(new Event("abort"));
    expect([calls, signal.onabort, getEventListeners(signal, "abort")]).toEqual([0, null, []]);
  });

  it("leaves a signal derived from it to the other sources", () => {
    const own = new AbortController();
    const derived = AbortSignal.any([neverAbortedSignal(), own.signal]);
    own.abort("why");
    expect([derived.aborted, derived.reason, neverAbortedSignal().aborted]).toEqual([true, "why", false]);
  });

  it("keeps no reference to the jobs that have used it, and causes no warning", async () => {
    const warnings: string[] = [];
    const note = ({ name }: Error): void => void warnings.push(name);
    process.on("warning", note);
    try {
      // The caller's own signal holds its listeners' memory, which shows that the measurement works.
      const { signal } = new AbortController();
      expect(await heldBytesAfter(() => runListeningJobs(2_000, { signal }))).toBeGreaterThan(1_000_000);
      expect(signal.aborted).toBe(false);
      expect(await heldBytesAfter(() => runListeningJobs(40_000))).toBeLessThan(1_000_000);
      expect(warnings).toEqual([]);
    } finally {
      process.off("warning", note);
    }
  });
});

/** Each job derives a signal from its own, and listens to its own with a kilobyte at hand. */
async function runListeningJobs(count: number, options?: AsyncJobQueueRunOptions): Promise<void> {
  const queue = new AsyncJobQueue();
  const listening = asyncJob("listening", (signal) => {
    const kilobyte = new Array(128).fill(0);
    signal.addEventListener("abort", () => kilobyte.length);
    AbortSignal.any([signal, new AbortController().signal]);
  });
  queue.pushAll(Array(count).fill(listening));
  expect((await queue.drain({ ...options, concurrency: 100 })).isSuccess).toBe(true);
}
