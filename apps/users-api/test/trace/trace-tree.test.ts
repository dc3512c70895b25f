import { expect, test } from "vitest";
import { renderTrace } from "../../src/trace/trace-tree.ts";
import { spanMaker } from "../support/spans.ts";

const at = (milliseconds: number) => new Date(milliseconds);

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
  expect(renderTrace(slowestTrace.spans).split("\n")).toEqual([
    `trace ${root.spanContext().traceId}`,
    '└─ job.run (100.0 ms, +0.0 ms) {"job.name":"send_digest"}',
    "   ├─ compose (20.0 ms, +10.0 ms)",
    "   │  └─ encode (5.0 ms, +15.0 ms)",
    "   └─ deliver (65.0 ms, +30.0 ms)",
    "      ├─ connect (10.0 ms, +31.0 ms)",
    "      └─ transmit (49.0 ms, +41.0 ms)",
  ]);
});

test("a trace of one span is one branch", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("alone", 1_000);
  root.end(at(1_001));
  expect(renderTrace(slowestTrace.spans)).toBe(
    `trace ${root.spanContext().traceId}\n└─ alone (1.0 ms, +0.0 ms) {}`,
  );
});

test("children stand in the order in which they began, not in which they ended", () => {
  const { slowestTrace, start } = spanMaker();
  const root = start("root", 1_000);
  const first = start("first", 1_001, root);
  start("second", 1_002, root).end(at(1_003));
  first.end(at(1_010));
  root.end(at(1_010));
  expect(renderTrace(slowestTrace.spans)).toMatch(/first.*\n.*second/);
});

test("without spans, it says that there are none", () => {
  expect(renderTrace([])).toBe("no trace was kept");
});
