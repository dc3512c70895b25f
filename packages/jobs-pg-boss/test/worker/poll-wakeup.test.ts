import { beforeEach, describe, expect, it, vi } from "vitest";
import { type PollWait, PollWakeup } from "../../src/worker/poll-wakeup.ts";

const pollIntervalMs = 10_000;
const never = new AbortController().signal;
let wakeup: PollWakeup;
let wait: PollWait;

beforeEach(() => {
  vi.useFakeTimers();
  wakeup = new PollWakeup({ alone: pollIntervalMs, listening: 4 * pollIntervalMs });
  wait = wakeup.join(["a", "b"]);
  return () => vi.useRealTimers();
});

/** Looks at all queues and finds nothing but a job that is due later. */
function look(nextDueInMs?: number): void {
  expect(wait.toFetch(false)).toBeUndefined();
  wait.looked(nextDueInMs);
}

/** Sleeps, and resolves to the milliseconds that it took. */
async function sleptMs(signal = never): Promise<number> {
  const startMs = performance.now();
  let endMs: number | undefined;
  const sleep = wait.sleep(signal).then(() => {
    endMs = performance.now();
  });
  while (endMs === undefined) await vi.advanceTimersByTimeAsync(1);
  await sleep;
  return endMs - startMs;
}

describe("a worker that waits", () => {
  it("looks after an interval", async () => {
    look();
    expect(await sleptMs()).toBeGreaterThan(pollIntervalMs - 5);
    look();
  });

  it("looks less often while it listens, and at once when it begins to", async () => {
    look();
    setTimeout(() => wait.beginListening(), 100);
    expect(await sleptMs()).toBeLessThan(110);
    look();
    expect(await sleptMs()).toBeGreaterThan(4 * pollIntervalMs - 5);
    look();
    setTimeout(() => wait.endListening(), 100);
    const slept = await sleptMs();
    expect(slept).toBeGreaterThan(pollIntervalMs);
    expect(slept).toBeLessThan(pollIntervalMs + 110);
    look();
    expect(await sleptMs()).toBeLessThan(pollIntervalMs + 5);
  });

  it("looks when the next job is due, but not at once after a look", async () => {
    look(300);
    const slept = await sleptMs();
    expect(slept).toBeGreaterThanOrEqual(300);
    expect(slept).toBeLessThan(310);
    look(1);
    expect(await sleptMs()).toBeGreaterThanOrEqual(20);
  });

  it("fetches from a queue that it is told of, and from no other", async () => {
    look();
    setTimeout(() => wakeup.wake("c"), 50);
    setTimeout(() => wait.hear("b"), 100);
    expect(await sleptMs()).toBeLessThan(110);
    expect(wait.toFetch(false)).toEqual(["b"]);
  });

  it("looks if it is told of jobs that come due later", async () => {
    look();
    setTimeout(() => wait.hear("a later"), 100);
    setTimeout(() => wait.hear("c later"), 50);
    const slept = await sleptMs();
    expect(slept).toBeGreaterThanOrEqual(100);
    expect(slept).toBeLessThan(110);
    look(400);
  });

  it("keeps what it was told of while it looked", async () => {
    expect(wait.toFetch(false)).toBeUndefined();
    wakeup.wake("a");
    wakeup.wakeIn("b", 200);
    wait.looked(undefined);
    expect(await sleptMs()).toBe(0);
    expect(wait.toFetch(false)).toEqual(["a"]);
    expect(await sleptMs()).toBeLessThan(210);
  });

  it("looks at all queues in turn while it is busy, and once more when it is no longer", async () => {
    look();
    wakeup.wake("a");
    expect(wait.toFetch(true)).toBeUndefined();
    wait.looked(undefined);
    wait.foundJobs();
    expect(await sleptMs()).toBe(0);
    look();
  });

  it("pauses after others have taken what it was told of, however often it is told", async () => {
    look();
    wakeup.wake("a");
    expect(await sleptMs()).toBe(0);
    let fetches = 0;
    const endMs = performance.now() + 1_000;
    const tell = setInterval(() => wakeup.wake("a"), 1);
    while (performance.now() < endMs) {
      if (wait.toFetch(false) !== undefined) fetches++;
      wait.foundNone();
      await sleptMs();
    }
    clearInterval(tell);
    expect(fetches).toBeGreaterThan(30);
    expect(fetches).toBeLessThanOrEqual(52);
  });

  it("ends its wait when it is stopped, and is told of nothing after it has left", async () => {
    const stopping = new AbortController();
    look();
    setTimeout(() => stopping.abort(), 100);
    expect(await sleptMs(stopping.signal)).toBeLessThan(110);
    await wait.leave();
    wakeup.wake("a");
    expect(wait.toFetch(false)).toBeUndefined();
  });
});
