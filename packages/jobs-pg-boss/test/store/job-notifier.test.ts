import { beforeEach, describe, expect, it, vi } from "vitest";
import { JobNotifier } from "../../src/store/job-notifier.ts";

let sent: string[][];
let notifier: JobNotifier;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  notifier = new JobNotifier(async (payloads) => void sent.push([...payloads]));
  return () => vi.useRealTimers();
});

describe("a process that stores jobs", () => {
  it("notifies with the statement if it was quiet", () => {
    expect(notifier.takeQuiet()).toBe(true);
    expect(notifier.takeQuiet()).toBe(false);
    vi.advanceTimersByTime(100);
    expect(notifier.takeQuiet()).toBe(true);
    expect(sent).toEqual([]);
  });

  it("tells at once of each of jobs that come thirty times a second", async () => {
    for (let count = 0; count < 30; count++) {
      expect(notifier.takeQuiet()).toBe(true);
      await vi.advanceTimersByTimeAsync(33);
    }
  });

  it("tells of all jobs of the last milliseconds at once, of each queue once", async () => {
    notifier.takeQuiet();
    for (let round = 0; round < 1_000; round++) {
      for (const queue of ["a", "b"]) if (!notifier.takeQuiet()) notifier.stored(queue);
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent.length).toBeGreaterThanOrEqual(15);
    expect(sent.length).toBeLessThanOrEqual(21);
    for (const payloads of sent) expect(payloads.toSorted()).toEqual(["a", "b"]);
  });

  it("tells at once of a job that comes after a pause", async () => {
    notifier.stored("a");
    expect(sent).toEqual([["a"]]);
  });

  it("tells of jobs whose notification was under way", async () => {
    let answer = (): void => {};
    const slow = new JobNotifier((payloads) => {
      sent.push([...payloads]);
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    });
    slow.stored("a");
    slow.stored("a");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([["a"]]);
    answer();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([["a"], ["a"]]);
  });

  it("goes on after a notification that failed", async () => {
    let isBroken = true;
    const failing = new JobNotifier(async (payloads) => {
      if (isBroken) throw new Error("no connection");
      sent.push([...payloads]);
    });
    failing.stored("a");
    await vi.advanceTimersByTimeAsync(1_000);
    isBroken = false;
    failing.stored("b");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([["b"]]);
  });

  it("sends the rest when it closes", async () => {
    notifier.takeQuiet();
    notifier.stored("a");
    expect(sent).toEqual([]);
    await notifier.close();
    expect(sent).toEqual([["a"]]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([["a"]]);
  });
});

describe("a process that stores jobs in transactions", () => {
  it("notifies in twenty of them in a second, and tells of the others a little later", async () => {
    const taken = Array.from({ length: 50 }, () => notifier.takeInTransaction());
    expect(taken.filter(Boolean)).toHaveLength(20);
    for (const isTaken of taken) if (!isTaken) notifier.storedInTransaction("a");
    await vi.advanceTimersByTimeAsync(100);
    const before = sent.length;
    await vi.advanceTimersByTimeAsync(900);
    expect(sent.length).toBe(before + 1);
    expect(Array.from({ length: 50 }, () => notifier.takeInTransaction()).filter(Boolean)).toHaveLength(20);
  });
});
