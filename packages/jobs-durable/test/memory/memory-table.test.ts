import { afterEach, describe, expect, it, vi } from "vitest";
import type { NewJob } from "../../src/backend.ts";
import { MemoryTable } from "../../src/memory/memory-table.ts";
import { computingMs } from "../support/computing.ts";
import { newJob as anyNewJob } from "../support/new-job.ts";

const names = new Set(["a"]);

function newJob(id: number, runAt?: Date): NewJob {
  return anyNewJob(`job-${id}`, { runAt });
}

/** Adds so many jobs, and drains them in rounds of 10. */
function drain(count: number): void {
  const table = new MemoryTable(1e9, 1e9);
  for (let index = 0; index < count; index++) table.add(newJob(index));
  let drained = 0;
  for (let taken = table.take(names, 10); taken.length > 0; taken = table.take(names, 10)) {
    for (const job of taken) table.settle(job, { type: "succeeded" });
    drained += taken.length;
  }
  expect(drained).toBe(count);
}

const drainMs = (count: number): number => computingMs(() => drain(count));

describe("MemoryTable, at length", () => {
  it("drains four times the backlog in about four times the time", () => {
    drainMs(5_000);
    const shortMs = Math.min(drainMs(25_000), drainMs(25_000));
    const longMs = Math.min(drainMs(100_000), drainMs(100_000));
    expect(longMs / shortMs).toBeLessThan(10);
  });

  it("takes jobs for earlier and earlier moments without growing slow", () => {
    const table = new MemoryTable(1e9, 1e9);
    const addMs = computingMs(() => {
      for (let index = 0; index < 40_000; index++) table.add(newJob(index, new Date(1e12 - index)));
    });
    expect(addMs).toBeLessThan(3_000);
    expect(table.take(names, 2).map(({ id }) => id)).toEqual(["job-39999", "job-39998"]);
  });
});

describe("a lease in memory", () => {
  it("holds for who took the job last: an earlier holder's settlement records nothing", () => {
    const table = new MemoryTable(1e9, 1e9);
    table.add(newJob(1));
    const [first] = table.take(names, 1);
    expect(first).toBeDefined();
    if (first === undefined) return;
    expect(table.settle(first, { type: "released" })).toBe(true);
    expect(table.settle(first, { type: "succeeded" })).toBe(false);
    expect(table.counts().get("a")).toMatchObject({ waiting: 1, succeeded: 0 });
  });
});

describe("the retention of a job in memory", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is its own, or that of the table", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1e12 });
    const table = new MemoryTable(5_000, 5_000);
    table.add(anyNewJob("none", { retainMs: 0 }));
    table.add(anyNewJob("short", { retainMs: 2_000 }));
    table.add(anyNewJob("usual"));
    table.add(anyNewJob("long", { retainMs: 60_000 }));
    table.add(anyNewJob("dead", { retainMs: 60_000 }));
    for (const job of table.take(names, 5)) {
      table.settle(job, job.id === "dead" ? { type: "dead-lettered", error: "no" } : { type: "succeeded" });
    }
    const leftAfter = (ms: number): unknown => {
      vi.setSystemTime(1e12 + ms);
      const { succeeded, deadLettered } = table.counts().get("a") ?? {};
      return [succeeded, deadLettered];
    };
    expect(leftAfter(0)).toEqual([3, 1]);
    expect(leftAfter(2_500)).toEqual([2, 1]);
    expect(leftAfter(6_000)).toEqual([1, 0]);
    expect(leftAfter(61_000)).toEqual([undefined, undefined]);
  });

  it("goes on if the clock was ahead for a while", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1e12 + 3_600_000 });
    const table = new MemoryTable(1_000, 1_000);
    table.add(anyNewJob("early"));
    vi.setSystemTime(1e12);
    for (const job of table.take(names, 1)) table.settle(job, { type: "succeeded" });
    vi.setSystemTime(1e12 + 4_000);
    expect(table.find("early")).toBeUndefined();
  });

  it("frees a unique key that holds for a longer time", () => {
    const table = new MemoryTable(1e9, 1e9);
    const throttled = { uniqueKey: "k", uniqueForMs: 1e9, retainMs: 0 };
    table.add(anyNewJob("first", throttled));
    expect(table.holderOf("a", "k")).toBe("first");
    const [job] = table.take(names, 1);
    if (job !== undefined) table.settle(job, { type: "succeeded" });
    expect(table.holderOf("a", "k")).toBeUndefined();
    expect(table.add(anyNewJob("second", throttled))).toEqual({ id: "second", isDuplicate: false });
  });
});
