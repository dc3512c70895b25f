import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { excerptOf } from "../src/excerpt.ts";
import { terminalSvg } from "../src/terminal-svg.ts";

const drawn = (...lines: string[]): string => terminalSvg({ title: "A run", command: "run", lines });

describe("the drawing of a terminal", () => {
  it("has a title for screen readers, and the command", () => {
    expect(drawn()).toContain("<title>A run</title>");
    expect(drawn()).toContain(">$\u00a0run</text>");
  });

  it("keeps columns and characters that are markup", () => {
    expect(drawn('a  <b> & "c"')).toContain(">a\u00a0\u00a0&#60;b&#62;\u00a0&#38;\u00a0&#34;c&#34;</text>");
  });

  it("cuts lines that are too long", () => {
    expect(drawn("x".repeat(104))).toContain(`>${"x".repeat(104)}</text>`);
    expect(drawn("x".repeat(105))).toContain(`>${"x".repeat(103)}…</text>`);
  });

  it("is what the README shows", () => {
    const path = fileURLToPath(new URL("../../../apps/docs/pictures/demo.svg", import.meta.url));
    expect(readFileSync(path, "utf8")).toContain("nidus_jobs_finished_total{job_name=&#34;send_digest&#34;");
  });
});

describe("the excerpt of the demo's output", () => {
  it("keeps one metric and the last line", () => {
    const samples = ["nidus_jobs_started_total 3", "nidus_jobs_finished_total 2", "nidus_jobs_in_progress 1"];
    const output = ["Summary", "2 runs", "", "Metrics", ...samples, "", "Done: 2 of 2", ""].join("\n");
    expect(excerptOf(output)).toEqual([
      ...["Summary", "2 runs", "", "Metrics", "…", "nidus_jobs_finished_total 2", "…", "", "Done: 2 of 2"],
    ]);
  });

  it.each(["Summary", "Metrics\nnidus_jobs_started_total 3"])("refuses %j, which lacks a part", (output) => {
    expect(() => excerptOf(output)).toThrow("expected the demo to print");
  });
});
