import { expect, test } from "vitest";
import { spanMaker } from "./support/spans.ts";

const at = (milliseconds: number) => new Date(milliseconds);

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
  expect(String(slowestTrace)).toMatch(
    /^trace .*\n└─ slow \(500.0 ms, .*\n {3}└─ slow child \(1.0 ms, \+1.0 ms\)$/,
  );
});

test("traces that run at the same time are kept apart", () => {
  const { slowestTrace, start } = spanMaker();
  const [a, b] = [start("a", 1_000), start("b", 1_000)];
  const [childOfB, childOfA] = [start("child of b", 1_001, b), start("child of a", 1_001, a)];
  childOfB.end(at(1_002));
  childOfA.end(at(1_002));
  b.end(at(1_010));
  a.end(at(1_020));
  expect(String(slowestTrace)).toMatch(/└─ a .*\n {3}└─ child of a [^\n]*$/);
});

test("of equally slow traces the first is kept", () => {
  const { slowestTrace, start } = spanMaker();
  for (const name of ["first", "second"]) {
    const root = start(name, 1_000);
    start("child", 1_001, root).end(at(1_002));
    root.end(at(1_005));
  }
  expect(String(slowestTrace)).toContain("└─ first (5.0 ms, +0.0 ms)");
});

test("nothing is kept before a trace has ended", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("root", 1_000);
  start("child", 1_001, root).end(at(1_002));
  expect(String(slowestTrace)).toBe("no run with steps has ended");
  root.end(at(1_003));
  expect(String(slowestTrace)).toContain("child");
});

test("a trace is a tree with one line per span: its duration, and its start after the root", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("job.run", 1_000);
  root.setAttribute("job.name", "send_digest");
  const compose = start("compose", 1_010, root);
  start("encode", 1_015, compose).end(at(1_020));
  compose.end(at(1_030));
  const deliver = start("deliver", 1_030, root);
  start("connect", 1_031, deliver).end(at(1_041));
  start("transmit", 1_041, deliver).end(at(1_090));
  deliver.end(at(1_095));
  root.end(at(1_100));
  expect(String(slowestTrace).split("\n")).toEqual([
    `trace ${root.spanContext().traceId} of send_digest: each span with its duration and start`,
    "└─ job.run (100.0 ms, +0.0 ms)",
    "   ├─ compose (20.0 ms, +10.0 ms)",
    "   │  └─ encode (5.0 ms, +15.0 ms)",
    "   └─ deliver (65.0 ms, +30.0 ms)",
    "      ├─ connect (10.0 ms, +31.0 ms)",
    "      └─ transmit (49.0 ms, +41.0 ms)",
  ]);
});

test("a slower run without steps is not shown: it has no tree", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("with steps", 1_000);
  start("child", 1_001, root).end(at(1_002));
  root.end(at(1_003));
  start("alone", 1_000).end(at(1_500));
  expect(String(slowestTrace)).toMatch(/└─ with steps .*\n {3}└─ child/);
});

test("children stand in the order in which they began, not in which they ended", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("root", 1_000);
  const first = start("first", 1_001, root);
  start("second", 1_002, root).end(at(1_003));
  first.end(at(1_010));
  root.end(at(1_010));
  expect(String(slowestTrace)).toMatch(/first.*\n.*second/);
});
