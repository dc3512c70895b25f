import { expect, test } from "vitest";
import { milliseconds } from "../../src/trace/slowest-trace.ts";
import { spanMaker } from "../support/spans.ts";

const at = (time: number) => new Date(time);

test("of several traces, the slowest is kept completely", () => {
  const { slowestTrace, start } = spanMaker();
  for (const [name, durationMs] of [
    ["quick", 10],
    ["slow", 500],
    ["medium", 100],
  ] as const) {
    const root = start(name, 1_000);
    start(`${name} child`, 1_001, root).end(at(1_002));
    root.end(at(1_000 + durationMs));
  }
  expect(slowestTrace.spans.map(({ name }) => name)).toEqual(["slow", "slow child"]);
});

test("traces that run at the same time are kept apart", () => {
  const { slowestTrace, start } = spanMaker();
  const [a, b] = [start("a", 1_000), start("b", 1_000)];
  const [childOfB, childOfA] = [start("child of b", 1_001, b), start("child of a", 1_001, a)];
  childOfB.end(at(1_002));
  childOfA.end(at(1_002));
  b.end(at(1_010));
  a.end(at(1_020));
  expect(slowestTrace.spans.map(({ name }) => name)).toEqual(["a", "child of a"]);
});

test("of equally slow traces the first is kept", () => {
  const { slowestTrace, start } = spanMaker();
  for (const name of ["first", "second"]) start(name, 1_000).end(at(1_005));
  expect(slowestTrace.spans.map(({ name }) => name)).toEqual(["first"]);
});

test("nothing is kept before a trace has ended", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("root", 1_000);
  start("child", 1_001, root).end(at(1_002));
  expect(slowestTrace.spans).toEqual([]);
  root.end(at(1_003));
  expect(slowestTrace.spans).toHaveLength(2);
});

test("of a trace with very many spans, a bounded number is kept, including the root", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("root", 1_000);
  for (let index = 0; index < 1_000; index++) start(`child ${index}`, 1_001, root).end(at(1_002));
  root.end(at(2_000));
  expect(slowestTrace.spans.length).toBeLessThanOrEqual(100);
  expect(slowestTrace.spans.map(({ name }) => name)).toContain("root");
});

test("times of the SDK are seconds and nanoseconds", () => {
  expect(milliseconds([2, 500_000])).toBe(2_000.5);
});
