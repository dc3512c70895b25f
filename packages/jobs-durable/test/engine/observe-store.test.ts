import { type JobObserver, ObservedJobRunner, type OpenedEngineContext } from "@nidus/jobs-observe";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { observeStore, type StoreReadings } from "../../src/backend.ts";
import { EngineUnavailableError } from "../../src/errors/errors.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const backlog = [{ jobName: "mails", waiting: 3, oldestWaitingAt: new Date(7) }];
const deadLetters = [{ jobName: "mails", count: 1, oldestAt: new Date(8) }];

function opened(readings: Partial<StoreReadings> = {}, observer: JobObserver = {}): OpenedEngineContext {
  const contexts: OpenedEngineContext[] = [];
  const hearing: JobObserver = { onEngineOpened: (context) => void contexts.push(context) };
  observeStore(new ObservedJobRunner([hearing, observer]), {
    engine: "sqs",
    address: "queue.example",
    isClosed: () => false,
    backlog: async () => backlog,
    deadLetters: async () => deadLetters,
    ping: async () => {},
    ...readings,
  });
  return contexts[0] as OpenedEngineContext;
}

describe("observeStore", () => {
  it("hands its readings to observers", async () => {
    const store = opened();
    expect(store.engine).toBe("sqs");
    expect(await store.backlog()).toEqual(backlog);
    expect(await store.deadLetters?.()).toEqual(deadLetters);
    expect(await store.health?.()).toEqual({
      engine: "sqs",
      isReachable: true,
      latencyMs: expect.any(Number),
      workers: [],
    });
  });

  it("rejects if the store does not answer in 2 seconds, and says that the store is unreachable", async () => {
    const store = opened({ backlog: () => new Promise(() => {}), ping: () => new Promise(() => {}) });
    const rejected = expect(store.backlog()).rejects.toThrow(
      new EngineUnavailableError("sqs at queue.example is unreachable (no answer within 2000 ms)"),
    );
    const health = store.health?.();
    await vi.advanceTimersByTimeAsync(2_000);
    await rejected;
    expect(await health).toEqual({ engine: "sqs", isReachable: false, latencyMs: undefined, workers: [] });
  });

  it("asks a store that does not answer once a minute, and shares the answer that comes", async () => {
    const answers: ((answer: typeof backlog) => void)[] = [];
    const store = opened({ backlog: () => new Promise((resolve) => answers.push(resolve)) });
    for (let scrape = 0; scrape < 10; scrape++) {
      const rejected = expect(store.backlog()).rejects.toThrow("unreachable");
      await vi.advanceTimersByTimeAsync(5_000);
      await rejected;
    }
    expect(answers).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(15_000);
    const readings = [store.backlog(), store.backlog()];
    expect(answers).toHaveLength(2);
    answers[1]?.(backlog);
    expect(await Promise.all(readings)).toEqual([backlog, backlog]);
    const next = store.backlog();
    expect(answers).toHaveLength(3);
    // The answer to a question that was given up is not the answer to the present one.
    answers[0]?.([]);
    answers[2]?.(backlog);
    expect(await next).toEqual(backlog);
  });

  it("rejects as its readings do, also if they throw", async () => {
    const broken = (): never => {
      throw new Error("WRONGTYPE");
    };
    const store = opened({
      backlog: broken,
      deadLetters: () => Promise.reject(new Error("OOM")),
      ping: broken,
    });
    await expect(store.backlog()).rejects.toThrow("WRONGTYPE");
    await expect(store.deadLetters?.()).rejects.toThrow("OOM");
    expect(await store.health?.()).toMatchObject({ isReachable: false });
  });

  it("warns of what its readings reject with, at most once a minute", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const store = opened({
      backlog: () => Promise.reject(new Error('relation "pgboss.job" does not exist')),
    });
    for (let scrape = 0; scrape < 3; scrape++) {
      await expect(store.backlog()).rejects.toThrow("does not exist");
    }
    expect(warned.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringContaining('relation "pgboss.job" does not exist'),
    ]);
  });

  it("has nothing to read once the store is closed, also if it closes meanwhile", async () => {
    let isClosed = false;
    const read = vi.fn(async () => {
      isClosed = true;
      throw new Error("the connection is closed");
    });
    const store = opened({ isClosed: () => isClosed, backlog: read });
    expect(await store.backlog()).toBeUndefined();
    expect(await store.backlog()).toBeUndefined();
    expect(read).toHaveBeenCalledTimes(1);
    expect(await store.deadLetters?.()).toBeUndefined();
    expect(await store.health?.()).toBeUndefined();
  });

  it("reads within the scopes that observers give to an engine's own work", async () => {
    const kinds: string[] = [];
    const bookkeeper: JobObserver = {
      runInScope(context, run) {
        kinds.push(context.jobName);
        return run();
      },
    };
    const store = opened({}, { onEngineOpened: (engine) => engine.observeBookkeeping(bookkeeper) });
    await store.backlog();
    await store.deadLetters?.();
    await store.health?.();
    expect(kinds).toEqual(["backlog", "dead-letters", "health"]);
  });
});
