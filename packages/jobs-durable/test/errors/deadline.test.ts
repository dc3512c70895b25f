import { nextTick } from "node:process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { withDeadline } from "../../src/backend.ts";
import { EngineUnavailableError } from "../../src/index.ts";
import { deferred, never } from "../support/deferred.ts";

describe("withDeadline", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("resolves and rejects as the work does, and leaves no timer behind", async () => {
    await expect(withDeadline(Promise.resolve(1), 1_000, "it")).resolves.toBe(1);
    const failure = new Error("no");
    await expect(withDeadline(Promise.reject(failure), 1_000, "it")).rejects.toBe(failure);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sets no timer for work that is over in the tick in which it began", async () => {
    const setTimer = vi.spyOn(globalThis, "setTimeout");
    await withDeadline(Promise.resolve(1), 1_000, "it");
    await new Promise(nextTick);
    expect(setTimer).not.toHaveBeenCalled();
  });

  it("rejects when the time is up, and names the server that gave no answer", async () => {
    const outcome = withDeadline(never(), 1_000, "redis at localhost:1").catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    const error = await outcome;
    expect(EngineUnavailableError.isInstance(error)).toBe(true);
    expect((error as Error).message).toBe("redis at localhost:1 is unreachable (no answer within 1000 ms)");
  });

  it("names the operation, if the caller does not know it", async () => {
    const outcome = withDeadline(never(), 1_000, "the server", "renewing leases").catch(String);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toBe(
      "EngineUnavailableError: the server is unreachable (renewing leases: no answer within 1000 ms)",
    );
  });

  it("tells whole milliseconds", async () => {
    const outcome = withDeadline(never(), 2_000 / 3, "it").catch(String);
    await vi.advanceTimersByTimeAsync(667);
    expect(await outcome).toContain("no answer within 667 ms");
  });

  it("ignores how late work ends", async () => {
    const work = deferred();
    const outcome = withDeadline(work.promise, 10, "it").catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    work.reject(new Error("late"));
    expect(EngineUnavailableError.isInstance(await outcome)).toBe(true);
  });
});
