import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LeasedJob, SettleResult } from "../../src/backend.ts";
import { defineJob } from "../../src/index.ts";
import { type Deferred, deferred } from "../support/deferred.ts";
import { fetched, ScriptedConsumer } from "../support/scripted-backend.ts";
import { startWork, type Working } from "../support/working.ts";

// Fake timers do not reach this module of Node's.
vi.mock("node:timers/promises", () => import("../support/fake-pause.ts"));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets everything run that is ready to run. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** Lists what observers heard, such as ["succeeded 1"]: an outcome and the attempt it is told of. */
function told({ recorder }: Working): string[] {
  return recorder.settled.map(({ outcome, delivery }) => `${outcome} ${delivery.attempt}`);
}

/** One job whose handler the test ends, delivered by the test as often as it likes. */
class Delivered {
  readonly consumer = new ScriptedConsumer();
  readonly ends: Deferred<void>[] = [];
  readonly signals: AbortSignal[] = [];
  /** How the consumer answers to a settlement of an attempt. */
  answer: (attempt: number) => Promise<SettleResult> = async () => ({ isRecorded: true });
  readonly #job = defineJob<string>({
    name: "send_mail",
    run: (_, { signal }) => {
      const end = deferred<void>();
      this.ends.push(end);
      this.signals.push(signal);
      return end.promise;
    },
  });

  constructor() {
    this.consumer.onSettle = ({ attempt }) => this.answer(attempt);
  }

  work(): Promise<Working> {
    return startWork(this.consumer, this.#job, { concurrency: 2 });
  }

  async deliver(attempt: number, changes: Partial<LeasedJob> = {}): Promise<void> {
    this.consumer.push(fetched("a", { attempt, maxAttempts: 2, followsStalled: attempt > 1, ...changes }));
    await settled();
  }

  async end(error?: Error): Promise<void> {
    if (error === undefined) this.ends.at(-1)?.resolve();
    else this.ends.at(-1)?.reject(error);
    await settled();
  }
}

const refused = async (): Promise<SettleResult> => ({ isRecorded: false });
const away = (): Promise<never> => Promise.reject(new Error("the server is away"));

describe("an attempt before that has no recorded end", () => {
  it("is told as stalled when the job is delivered again, once", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(2);
    expect(told(working)).toEqual(["stalled 1"]);
    await delivered.end();
    expect(told(working)).toEqual(["stalled 1", "succeeded 2"]);
  });

  it("is told before the job is given up, which is one dead letter", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(3);
    expect(told(working)).toEqual(["stalled 2", "dead-lettered 2"]);
    expect(await working.worker.stop({ graceMs: 0, abortMs: 0 })).toMatchObject({ deadLettered: 1 });
  });
});

describe("a delivery that ends a job after its last attempt", () => {
  it("is told of the last attempt, also if the worker before it died as it gave the job up", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(4);
    expect(told(working)).toEqual(["dead-lettered 2"]);
  });
});

describe("a settlement that is refused", () => {
  it("is final: it frees the slot, and tells that the run was lost", async () => {
    const delivered = new Delivered();
    delivered.answer = refused;
    const working = await delivered.work();
    await delivered.deliver(1);
    await delivered.end();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(delivered.consumer.endings).toEqual(["a succeeded"]);
    expect(told(working)).toEqual(["lost 1"]);
    delivered.consumer.push(fetched("b"), fetched("c"));
    await settled();
    expect(delivered.ends).toHaveLength(3);
  });

  it("tells nothing of a job that did not run here", async () => {
    const delivered = new Delivered();
    delivered.answer = refused;
    const working = await delivered.work();
    await delivered.deliver(1, { isCancelRequested: true });
    await delivered.deliver(3, { followsStalled: false });
    expect(delivered.consumer.endings).toEqual(["a cancelled", "a dead-lettered"]);
    expect(told(working)).toEqual([]);
  });

  it("that has no shape at all is said, and frees the slot", async () => {
    const delivered = new Delivered();
    delivered.answer = async () => undefined as unknown as SettleResult;
    const working = await delivered.work();
    for (const id of ["a", "b", "c"]) {
      delivered.consumer.push(fetched(id));
      await settled();
      await delivered.end();
    }
    expect(working.errors).toHaveLength(3);
    expect(delivered.consumer.endings).toEqual(["a succeeded", "b succeeded", "c succeeded"]);
    expect(Math.max(...delivered.consumer.limits)).toBe(2);
  });
});

describe("a job that comes again although its handler runs here, or has run", () => {
  it.each([
    ["after its last attempt", {}],
    ["with a cancel", { isCancelRequested: true }],
    ["that cannot be read any more", { unreadable: "no JSON" }],
  ])("succeeds once %s, and is no dead letter", async (_, changes) => {
    const delivered = new Delivered();
    delivered.answer = async (attempt) => ({ isRecorded: attempt === 3 });
    const working = await delivered.work();
    await delivered.deliver(2, { followsStalled: false });
    await delivered.end();
    await delivered.deliver(3, changes);
    expect(delivered.ends).toHaveLength(1);
    expect(delivered.consumer.endings).toEqual(["a succeeded", "a succeeded"]);
    expect(told(working)).toEqual(["lost 2", "stalled 2", "succeeded 2"]);
  });

  it("ends as the handler does that still runs", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(2, { followsStalled: false });
    await delivered.deliver(3);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(delivered.consumer.renewals.at(-1), "one lease is left to renew").toEqual(["a"]);
    await delivered.end();
    expect(delivered.ends).toHaveLength(1);
    expect(delivered.consumer.endings).toEqual(["a succeeded"]);
    expect(told(working)).toEqual(["stalled 2", "succeeded 2"]);
    expect(await working.worker.stop({ graceMs: 0, abortMs: 0 })).toMatchObject({
      ...{ started: 1, succeeded: 1, interrupted: 0, abandoned: 0 },
    });
  });

  it("fails as an attempt of its own: the last one is a dead letter with the handler's own error", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(1);
    await delivered.deliver(2);
    await delivered.end(new Error("no paper"));
    expect(delivered.consumer.settlements.map(({ outcome }) => outcome)).toEqual([
      { type: "dead-lettered", error: "no paper" },
    ]);
    expect(told(working)).toEqual(["stalled 1", "dead-lettered 2"]);
  });

  it("is cancelled through the signal of the handler that still runs", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(1);
    await delivered.deliver(2, { isCancelRequested: true });
    expect(delivered.signals[0]?.aborted).toBe(true);
    await delivered.end(new Error("stopped"));
    expect(delivered.consumer.endings).toEqual(["a cancelled"]);
    expect(told(working)).toEqual(["stalled 1", "cancelled 2"]);
  });

  it("counts once if the first settlement was recorded after all", async () => {
    const delivered = new Delivered();
    const first = deferred<SettleResult>();
    delivered.answer = (attempt) => (attempt === 1 ? first.promise : Promise.resolve({ isRecorded: true }));
    const working = await delivered.work();
    await delivered.deliver(1);
    await delivered.end();
    await delivered.deliver(2);
    first.resolve({ isRecorded: true });
    await settled();
    expect(delivered.ends).toHaveLength(1);
    expect(told(working)).toEqual(["stalled 1", "succeeded 2"]);
  });

  it("runs again after a retry, and the settlement before is repeated no more", async () => {
    const delivered = new Delivered();
    delivered.answer = (attempt) => (attempt === 1 ? away() : Promise.resolve({ isRecorded: true }));
    const working = await delivered.work();
    await delivered.deliver(1);
    await delivered.end(new Error("no paper"));
    await delivered.deliver(2, { followsStalled: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(delivered.ends).toHaveLength(2);
    expect(delivered.consumer.endings).toEqual(["a retried"]);
    expect(told(working), "the answer alone was lost").toEqual(["retried 1"]);
    await delivered.end();
    expect(told(working)).toEqual(["retried 1", "succeeded 2"]);
  });

  it("runs again after a redrive, whatever became of it before", async () => {
    const delivered = new Delivered();
    delivered.answer = (attempt) => (attempt === 2 ? refused() : Promise.resolve({ isRecorded: true }));
    const working = await delivered.work();
    await delivered.deliver(2, { followsStalled: false });
    await delivered.end();
    await delivered.deliver(1);
    await delivered.end();
    expect(delivered.ends).toHaveLength(2);
    expect(told(working)).toEqual(["lost 2", "succeeded 1"]);
  });
});

describe("a failure that is being recorded", () => {
  it("stays one, also if a cancel comes before its answer: it counts once", async () => {
    const delivered = new Delivered();
    const answer = deferred<SettleResult>();
    let tries = 0;
    delivered.answer = () => (++tries === 1 ? away() : answer.promise);
    const working = await delivered.work();
    await delivered.deliver(1);
    await delivered.end(new Error("no paper"));
    await working.engine.cancel("a");
    await vi.advanceTimersByTimeAsync(1_000);
    answer.resolve({ isRecorded: true });
    await settled();
    expect(delivered.consumer.endings).toEqual(["a retried", "a retried"]);
    expect(told(working)).toEqual(["retried 1"]);
  });
});

describe("what another program has stored", () => {
  it("is a dead letter that says why it cannot be read, without a run", async () => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(1, { unreadable: "its data are no JSON", followsStalled: false });
    expect(delivered.ends).toEqual([]);
    expect(delivered.consumer.settlements[0]?.outcome).toEqual({
      type: "dead-lettered",
      error: "its data are no JSON",
    });
    expect(told(working)).toEqual(["dead-lettered 1"]);
  });

  it.each([
    [{ enqueuedAt: new Date(Number.NaN) }],
    [{ runAt: Number.NEGATIVE_INFINITY as unknown as Date }],
    [{ enqueuedAt: "yesterday" as unknown as Date, runAt: undefined as unknown as Date }],
    [{ attempt: -1 }],
    [{ attempt: Number.NaN, maxAttempts: 0 }],
  ])("is described with valid dates and whole numbers (%o)", async (changes) => {
    const delivered = new Delivered();
    const working = await delivered.work();
    await delivered.deliver(1, { ...changes, followsStalled: false });
    await delivered.end();
    const delivery = working.recorder.settled[0]?.delivery;
    for (const date of [delivery?.enqueuedAt, delivery?.runAt]) {
      expect(Number.isFinite(date?.getTime())).toBe(true);
    }
    expect(delivery?.attempt).toBeGreaterThanOrEqual(1);
    expect(delivery?.maxAttempts).toBeGreaterThanOrEqual(1);
    expect(delivered.consumer.endings).toEqual(["a succeeded"]);
  });
});
