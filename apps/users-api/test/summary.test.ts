import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quantile, Summary } from "../src/summary.ts";

const times = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b);

test.each([
  [[7], 0.5, 7],
  [[1, 2], 0.5, 1],
  [[1, 2, 3], 0.5, 2],
  [[1, 2, 3, 4], 0.5, 2],
  [Array.from({ length: 20 }, (_, index) => index + 1), 0.95, 19],
  [Array.from({ length: 100 }, (_, index) => index + 1), 0.95, 95],
  [Array.from({ length: 101 }, (_, index) => index + 1), 0.95, 96],
  [[1, 2, 3], 1, 3],
  [[1, 2, 3], 0, 1],
  [[], 0.5, 0],
])("of %j the quantile %d is %d", (values, q, expected) => {
  expect(quantile(values, q)).toBe(expected);
});

test("a quantile is the smallest value that at least that share does not exceed", () => {
  fc.assert(
    fc.property(times, fc.constantFrom(1, 50, 95, 99, 100), (values, percent) => {
      const sorted = ascending(values);
      const value = quantile(sorted, percent / 100);
      const upTo = (limit: number) => sorted.filter((other) => other <= limit).length;
      expect(sorted).toContain(value);
      expect(upTo(value) * 100).toBeGreaterThanOrEqual(percent * sorted.length);
      const below = sorted.filter((other) => other < value).at(-1);
      if (below !== undefined) expect(upTo(below) * 100).toBeLessThan(percent * sorted.length);
    }),
  );
});

/** Returns the cells of the table, row by row. */
const cellsOf = (summary: Summary) =>
  summary
    .table()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));

test("there is a row for each job name, with runs and failures counted", async () => {
  const summary = new Summary();
  const runner = new ObservedJobRunner([summary]);
  const failing = asyncJob("send", () => Promise.reject(new Error("no")));
  await runner.runAsync(asyncJob("send", async () => {}));
  await expect(runner.runAsync(failing)).rejects.toThrow("no");
  await expect(runner.runAsync(failing)).rejects.toThrow("no");
  runner.run(job("a longer name", () => {}));
  const [headings, ...rows] = cellsOf(summary);
  expect(headings).toEqual(["job", "runs", "failures", "p50 ms", "p95 ms", "max ms"]);
  expect(rows.map((row) => row.slice(0, 3))).toEqual([
    ["send", "3", "2"],
    ["a longer name", "1", "0"],
  ]);
  for (const [, , , ...durations] of rows) {
    expect(durations).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^\d+\.\d\d$/)));
    expect(ascending(durations.map(Number))).toEqual(durations.map(Number));
  }
});

test("a cancelled run is counted, but is no failure", async () => {
  const summary = new Summary();
  const stopping = new AbortController();
  const running = new ObservedJobRunner([summary]).runAsync(
    asyncJob("send", async (signal) => {
      stopping.abort();
      signal.throwIfAborted();
    }),
    { signal: stopping.signal },
  );
  await expect(running).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
  expect(cellsOf(summary)[1]?.slice(0, 3)).toEqual(["send", "1", "0"]);
});

test("columns are aligned, whatever the names' lengths", () => {
  const summary = new Summary();
  const runner = new ObservedJobRunner([summary]);
  for (const name of ["x", "a much longer name than the others", "yy"]) runner.run(job(name, () => {}));
  const lines = summary.table().split("\n");
  expect(lines).toHaveLength(4);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

test("without runs, there are only headings", () => {
  expect(new Summary().table()).toBe("job  runs  failures  p50 ms  p95 ms  max ms");
});

test("it can be rendered again, with later runs", () => {
  const summary = new Summary();
  const runner = new ObservedJobRunner([summary]);
  runner.run(job("x", () => {}));
  expect(cellsOf(summary)[1]?.[1]).toBe("1");
  runner.run(job("x", () => {}));
  expect(cellsOf(summary)[1]?.[1]).toBe("2");
});

test("failures of one kind are one line with their number, and the most frequent kind comes first", async () => {
  const summary = new Summary();
  const runner = new ObservedJobRunner([summary]);
  const fail = (message: string): Promise<unknown> =>
    runner.runAsync(asyncJob("send", () => Promise.reject(new Error(message)))).catch(() => {});
  await fail("the disk is full");
  for (const address of ["root@localhost", "a@b", "c"]) await fail(`"${address}" is no address`);
  await fail("the disk is full");
  expect(summary.failures().split("\n")).toEqual([
    '3 × send: "c" is no address',
    "2 × send: the disk is full",
  ]);
  expect(summary.hasUnexpectedFailure).toBe(true);
});

test("without failures, it says so", () => {
  expect(new Summary().failures()).toBe("none");
});
