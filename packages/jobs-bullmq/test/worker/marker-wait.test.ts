import { describe, expect, it, vi } from "vitest";
import type { Marker, MarkerWatch } from "../../src/bullmq-internals/index.ts";
import { MarkerWait } from "../../src/worker/marker-wait.ts";
import type { QueueConsumer } from "../../src/worker/queue-consumer.ts";
import { QueueState } from "../../src/worker/queue-state.ts";

/** A watch whose answers the test gives, and the consumers of two queues without jobs. */
function setUp() {
  const asked: (readonly string[])[] = [];
  const restored: Marker[] = [];
  const errors: unknown[] = [];
  let settle: PromiseWithResolversLike<Marker | undefined> = withResolvers();
  const watch = {
    take(keys: readonly string[]) {
      asked.push(keys);
      settle = withResolvers();
      return settle.promise;
    },
    restore: async (marker: Marker) => void restored.push(marker),
    unusable: async () => ["b:"],
    close: async () => settle.resolve(undefined),
  };
  const consumers = ["a:", "b:"].map((keyPrefix) => ({ keyPrefix, state: new QueueState() }));
  const [a, b] = consumers.map(({ state }) => state);
  if (a === undefined || b === undefined) throw new Error("there are two");
  for (const state of [a, b]) state.isDrained = true;
  const clock = { offsetMs: 0, now: () => Date.now() };
  const wait = new MarkerWait(
    watch as unknown as MarkerWatch,
    consumers as unknown as QueueConsumer[],
    clock,
    (error) => errors.push(error),
  );
  const answer = (value: Marker | undefined): void => settle.resolve(value);
  const fail = (error: unknown): void => settle.reject(error);
  return { a, b, wait, asked, restored, errors, answer, fail };
}

interface PromiseWithResolversLike<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolversLike<T> {
  let [resolve, reject] = [(_value: T): void => {}, (_error: unknown): void => {}];
  const promise = new Promise<T>((settle, fail) => {
    [resolve, reject] = [settle, fail];
  });
  return { promise, resolve, reject };
}

const atOnce = { keys: "a:", member: "0", dueMs: 0 };

describe("the wait for markers", () => {
  it("asks for all queues at once, and says which may have a job", async () => {
    const { a, b, wait, asked, restored, answer } = setUp();
    const waiting = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toEqual([["a:", "b:"]]));
    answer(atOnce);
    await waiting;
    expect([a.isDrained, b.isDrained]).toEqual([false, true]);
    expect(restored).toEqual([]);
  });

  it("puts a marker back for which no look was made", async () => {
    const { wait, asked, restored, answer } = setUp();
    const waiting = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer(atOnce);
    await waiting;
    wait.restore();
    expect(restored).toEqual([atOnce]);
    wait.restore();
    expect(restored).toHaveLength(1);
  });

  it("puts a marker back that comes when no fetch waits any more", async () => {
    const { a, wait, asked, restored, answer } = setUp();
    const stopping = new AbortController();
    const waiting = wait.untilReady(stopping.signal);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    stopping.abort();
    await waiting;
    answer(atOnce);
    await vi.waitFor(() => expect(restored).toEqual([atOnce]));
    expect(a.isDrained).toBe(false);
    expect(asked).toHaveLength(1);
  });

  it("goes on after the marker of a later job, and ends when the job is due", async () => {
    const { a, b, wait, asked, answer } = setUp();
    const waiting = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const dueMs = Date.now() + 50;
    answer({ keys: "b:", member: "1", dueMs });
    await waiting;
    expect(Date.now()).toBeGreaterThanOrEqual(dueMs);
    expect([a.isDrained, b.isDrained]).toEqual([true, false]);
    expect(asked).toHaveLength(2);
  });

  it("makes all queues ready after a wait without a marker, since markers may be lost", async () => {
    const { a, b, wait, asked, answer } = setUp();
    const waiting = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer(undefined);
    await waiting;
    expect([a.isDrained, b.isDrained]).toEqual([false, false]);
  });

  it("leaves queues alone whose marker is of another type", async () => {
    const { a, b, wait, asked, errors, answer, fail } = setUp();
    const waiting = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const refused = new Error("WRONGTYPE Operation against a key holding the wrong kind of value");
    fail(refused);
    await vi.waitFor(() => expect(asked).toEqual([["a:", "b:"], ["a:"]]));
    answer(atOnce);
    await waiting;
    expect(errors).toEqual([refused]);
    expect([a.isReady, b.isReady]).toEqual([true, false]);
  });

  it("rejects if the wait fails, and waits again at the next call", async () => {
    const { wait, asked, errors, answer, fail } = setUp();
    const waiting = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const broken = new Error("Connection is closed.");
    fail(broken);
    await expect(waiting).rejects.toBe(broken);
    const again = wait.untilReady(new AbortController().signal);
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    answer(atOnce);
    await again;
    expect(errors).toEqual([]);
  });
});
