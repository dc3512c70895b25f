import { describe, expect, onTestFinished, test, vi } from "vitest";
import { SharedRead } from "../../src/engines/shared-read.ts";

/** A store that answers when it is told to. */
function store() {
  const calls: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  const read = new SharedRead(
    () => new Promise<number>((resolve, reject) => calls.push({ resolve, reject })),
  );
  const called = async (count: number) => {
    while (calls.length < count) await new Promise((resolve) => setImmediate(resolve));
    return calls[count - 1] as (typeof calls)[number];
  };
  return { calls, read, called };
}

describe("SharedRead", () => {
  test("reads once for many viewers", async () => {
    const { calls, read, called } = store();
    const viewers = Promise.all([read.get(), read.get(), read.get()]);
    (await called(1)).resolve(7);
    expect((await viewers).map(({ value }) => value)).toEqual([7, 7, 7]);
    expect((await read.get()).value).toBe(7);
    expect(calls).toHaveLength(1);
  });

  test("shows the last answer and the error if the store is away", async () => {
    const { read, called } = store();
    const first = read.get();
    (await called(1)).resolve(7);
    await first;
    read.expire();
    const second = read.get();
    (await called(2)).reject(new Error("away"));
    expect(await second).toMatchObject({ value: 7, error: "away" });
    expect((await second).readAt).not.toBeNull();
  });

  test("tells that a store is silent, with its last answer", async () => {
    const { read, called } = store();
    const first = read.get();
    (await called(1)).resolve(7);
    await first;
    read.expire();
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now");
    onTestFinished(() => clock.mockRestore());
    expect(await read.get()).toMatchObject({ value: 7, error: null });
    clock.mockImplementation(() => now() + 5_000);
    expect(await read.get()).toMatchObject({ value: 7, error: "no answer for more than 5 s" });
    (await called(2)).resolve(8);
    await expect.poll(async () => (await read.get()).value).toBe(8);
    expect(await read.get()).toMatchObject({ error: null });
  });

  test("does not wait for a silent store forever", async () => {
    const { read, called } = store();
    const first = read.get();
    (await called(1)).resolve(7);
    await first;
    read.expire();
    expect(await read.get()).toMatchObject({ value: 7, error: null });
  });

  test("does not take an answer from before an action", async () => {
    const { read, called } = store();
    const early = read.get();
    const before = await called(1);
    read.expire();
    const late = read.get();
    (await called(2)).resolve(2);
    before.resolve(1);
    await early;
    expect((await late).value).toBe(2);
    expect((await read.get()).value).toBe(2);
  });

  test("reports an engine that throws at the call", async () => {
    const read = new SharedRead<number>(() => {
      throw new Error("closed");
    });
    expect(await read.get()).toMatchObject({ value: undefined, error: "closed" });
  });
});
