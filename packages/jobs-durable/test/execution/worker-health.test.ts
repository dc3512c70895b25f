import { ObservedJobRunner } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEngine } from "../../src/backend.ts";
import { defineJob, type JobEngine, type JobWorker } from "../../src/index.ts";
import { outage } from "../../src/job/backoff.ts";
import { deferred } from "../support/deferred.ts";
import { fetched, ScriptedBackend, ScriptedConsumer } from "../support/scripted-backend.ts";

vi.mock("node:timers/promises", () => import("../support/fake-pause.ts"));

const longestFetchMs = 6_000;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance", "Date"],
  });
});
afterEach(() => void vi.useRealTimers());

interface Working {
  readonly engine: JobEngine;
  readonly worker: JobWorker;
  readonly backend: ScriptedBackend;
}

/** A worker whose store answers pings as `onPing` says. */
async function work(consumer: ScriptedConsumer, run: () => unknown = () => {}): Promise<Working> {
  const backend = new ScriptedBackend(consumer);
  backend.longestFetchMs = longestFetchMs;
  const engine = createEngine(backend, { runner: new ObservedJobRunner(), onError() {} });
  const worker = await engine.work({ jobs: [defineJob({ name: "a", run })] });
  return { engine, worker, backend };
}

/** A consumer whose every fetch behaves like this. */
function fetching(fetch: ScriptedConsumer["fetch"]): ScriptedConsumer {
  return Object.assign(new ScriptedConsumer(), { fetch });
}

const never = (): Promise<never> => new Promise(() => {});

/** As a store that has no job: an empty answer after the longest wait. */
const waiting = (): Promise<readonly never[]> =>
  new Promise((resolve) => setTimeout(() => resolve([]), longestFetchMs));

const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

describe("worker.health", () => {
  it("is idle while fetches wait as long as they may", async () => {
    const { worker } = await work(fetching(waiting));
    for (let seconds = 0; seconds < 60; seconds++) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(worker.health()).toMatchObject({ state: "idle", concurrency: 1, running: 0 });
    }
    expect(Date.now() - (worker.health().lastFetchAt?.getTime() ?? 0)).toBeLessThanOrEqual(longestFetchMs);
  });

  it("is stuck if a fetch never ends, although the store answers", async () => {
    const { engine, worker } = await work(fetching(never));
    const startedAt = worker.health().lastFetchAt;
    expect(worker.health()).toMatchObject({ state: "idle", lastFetchAt: expect.any(Date) });
    await vi.advanceTimersByTimeAsync(3 * longestFetchMs);
    expect(worker.health().state).toBe("idle");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(worker.health()).toMatchObject({ state: "stuck", lastFetchAt: startedAt });
    expect(await engine.health()).toMatchObject({ isReachable: true, workers: [{ state: "stuck" }] });
  });

  it("is not stuck if a fetch never ends and the store is away, until the store is back", async () => {
    const { engine, worker, backend } = await work(fetching(never));
    backend.onPing = () => Promise.reject(refused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(worker.health().state).toBe("server-unreachable");
    expect(await engine.health()).toMatchObject({
      isReachable: false,
      latencyMs: undefined,
      workers: [{ state: "server-unreachable" }],
    });
    backend.onPing = async () => {};
    await vi.advanceTimersByTimeAsync(2_000);
    expect(worker.health().state).toBe("stuck");
  });

  it("tells that the store is away as soon as a fetch fails, and recovers with the next answer", async () => {
    let isAway = true;
    const { worker, backend } = await work(fetching(() => (isAway ? Promise.reject(refused) : waiting())));
    backend.onPing = () => (isAway ? Promise.reject(refused) : Promise.resolve());
    await vi.advanceTimersByTimeAsync(0);
    expect(worker.health().state).toBe("server-unreachable");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(worker.health().state).toBe("server-unreachable");
    isAway = false;
    // The next fetch begins after the longest wait between two tries, and takes as long as it may.
    await vi.advanceTimersByTimeAsync(outage.maxMs + longestFetchMs);
    expect(worker.health().state).toBe("idle");
  });

  it("is working while all slots are taken, however long that is", async () => {
    const end = deferred<void>();
    const { worker } = await work(new ScriptedConsumer(fetched("1", { name: "a" })), () => end.promise);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(worker.health()).toMatchObject({ state: "working", running: 1 });
    expect(Date.now() - (worker.health().lastFetchAt?.getTime() ?? 0)).toBeLessThan(30_000);
    end.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(worker.health().state).not.toBe("stuck");
  });

  it("is stopped once it stops, and its engine no longer lists it", async () => {
    const { engine, worker } = await work(fetching(waiting));
    const stopping = worker.stop();
    expect(worker.health().state).toBe("stopped");
    await vi.advanceTimersByTimeAsync(longestFetchMs);
    await stopping;
    expect(worker.health().state).toBe("stopped");
    expect((await engine.health()).workers).toEqual([]);
  });
});

describe("engine.health", () => {
  it("says how long the store took, and answers within a second if the store is silent", async () => {
    const { engine, backend } = await work(fetching(waiting));
    backend.onPing = () => new Promise((resolve) => setTimeout(resolve, 30));
    const answering = engine.health();
    await vi.advanceTimersByTimeAsync(30);
    expect(await answering).toMatchObject({ engine: "scripted", isReachable: true, latencyMs: 30 });
    backend.onPing = never;
    const silent = engine.health();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await silent).toMatchObject({ isReachable: false, latencyMs: undefined });
  });

  it("asks one ping at a time, since a client may keep those that it cannot send", async () => {
    const { engine, backend } = await work(fetching(waiting));
    let pings = 0;
    const answer = deferred<void>();
    backend.onPing = () => {
      pings++;
      return answer.promise;
    };
    for (let i = 0; i < 5; i++) {
      const health = engine.health();
      await vi.advanceTimersByTimeAsync(1_000);
      expect((await health).isReachable).toBe(false);
    }
    expect(pings).toBe(1);
    answer.resolve();
    await vi.advanceTimersByTimeAsync(0);
    const health = engine.health();
    await vi.advanceTimersByTimeAsync(0);
    expect((await health).isReachable).toBe(true);
  });

  it("is refused once the engine is closed, and undefined for observers", async () => {
    let context:
      | Parameters<NonNullable<import("@nidus/jobs-observe").JobObserver["onEngineOpened"]>>[0]
      | undefined;
    const runner = new ObservedJobRunner({
      onEngineOpened: (opened) => {
        context = opened;
      },
    });
    const engine = createEngine(new ScriptedBackend(), { runner });
    expect(await context?.health?.()).toMatchObject({ engine: "scripted", isReachable: true, workers: [] });
    await engine.close();
    await expect(engine.health()).rejects.toThrow("closed");
    expect(await context?.health?.()).toBeUndefined();
  });
});
