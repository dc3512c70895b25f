import { describe, expect, it } from "vitest";
import type { Findings } from "../src/findings.ts";
import { judge } from "../src/judgement.ts";
import { runtimeNamed } from "../src/runtimes.ts";

const onNode20 = (errors: Record<string, string | undefined>): Findings => ({
  runtime: runtimeNamed("node-20"),
  errors: new Map(Object.entries(errors)),
});
const onDeno = (errors: Record<string, string | undefined>): Findings => ({
  ...onNode20(errors),
  runtime: runtimeNamed("deno"),
});
const limits = [{ check: "syntax", runtimes: ["node-20"], reason: "too new" }];

describe("a check", () => {
  it("is ok if it was reported without an error", () => {
    expect(judge([onNode20({ queue: undefined })], [])).toEqual([
      { check: "queue", cells: [{ state: "ok" }] },
    ]);
  });

  it("fails with its error, except for a known limit of that runtime", () => {
    const all = [onNode20({ syntax: "SyntaxError" }), onDeno({ syntax: "SyntaxError" })];
    expect(judge(all, limits)[0]?.cells).toEqual([
      { state: "limit", problem: "SyntaxError" },
      { state: "failed", problem: "SyntaxError" },
    ]);
  });

  it("fails on a runtime that did not report it", () => {
    const rows = judge(
      [onNode20({ queue: undefined, channel: undefined }), onDeno({ queue: undefined })],
      [],
    );
    expect(rows.map(({ check, cells }) => [check, ...cells.map(({ state }) => state)])).toEqual([
      ["queue", "ok", "ok"],
      ["channel", "ok", "failed"],
    ]);
  });

  it("fails if it works and is listed as a limit", () => {
    expect(judge([onNode20({ syntax: undefined })], limits)[0]?.cells[0]).toMatchObject({ state: "failed" });
  });
});

describe("runtimeNamed", () => {
  it("refuses an unknown name, and lists the known names", () => {
    expect(() => runtimeNamed("node-18")).toThrow(RangeError);
    expect(() => runtimeNamed(undefined)).toThrow(/one of node-20, .*deno, got undefined/);
  });
});
