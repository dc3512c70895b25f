import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bounded } from "../../src/sdk/bounded.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ["resolves", () => Promise.resolve("done")],
  ["rejects", () => Promise.reject(new Error("no"))],
])(
  "resolves as soon as the work %s, and leaves no timer that would keep the process alive",
  async (_case, work) => {
    await expect(bounded(work(), 5_000)).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  },
);

test("resolves after its time if the work goes on, not before, and whatever the work does then", async () => {
  let reject = (_reason: unknown): void => {};
  const work = new Promise((_resolve, rejectWork) => {
    reject = rejectWork;
  });
  let isOver = false;
  const waiting = bounded(work, 5_000).then(() => {
    isOver = true;
  });

  await vi.advanceTimersByTimeAsync(4_999);
  expect(isOver).toBe(false);

  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  reject(new Error("too late to matter"));
  await vi.advanceTimersByTimeAsync(0);
  expect(isOver).toBe(true);
});
