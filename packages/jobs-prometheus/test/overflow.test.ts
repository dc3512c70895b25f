import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { prometheusJobObserver } from "../src/index.ts";
import { parse, sampleOf } from "./support/exposition.ts";
import { heapBytes } from "./support/heap.ts";

describe("maxSeries", () => {
  it("holds against 200,000 job names, and counts the rest together", async () => {
    const observer = prometheusJobObserver({ maxSeries: 100 });
    const runner = new ObservedJobRunner(observer);
    const heapAfter = (from: number, to: number): number => {
      for (let i = from; i < to; i++) runner.run(job(`job ${i}`, () => {}));
      return heapBytes();
    };
    const early = heapAfter(0, 20_000);
    const late = heapAfter(20_000, 200_000);
    // Keeping the names alone would take more than 10 MB.
    expect(late - early).toBeLessThan(1e6);

    const lines = parse(await observer.registry.metrics());
    const started = lines.filter(({ name }) => name === "nidus_jobs_started_total");
    expect(started).toHaveLength(101);
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "job 99" })).toBe(1);
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "<overflow>" })).toBe(199_900);
    expect(sampleOf(lines, "nidus_jobs_finished_total", { job_name: "<overflow>", status: "success" })).toBe(
      199_900,
    );
    expect(sampleOf(lines, "nidus_jobs_in_progress", { job_name: "<overflow>" })).toBe(0);
  });

  it("limits label sets if attributes are labels", async () => {
    const observer = prometheusJobObserver({ maxSeries: 3, attributeLabels: ["tenant", "region"] });
    const runner = new ObservedJobRunner(observer);
    for (let i = 0; i < 50; i++) runner.context({ tenant: `t${i}`, region: "eu" }).run(job("send", () => {}));
    runner.context({ tenant: "t0", region: "eu" }).run(job("send", () => {}));
    const lines = parse(await observer.registry.metrics()).filter(
      ({ name }) => name === "nidus_jobs_started_total",
    );
    expect(lines.map(({ labels, value }) => [...Object.values(labels), value])).toEqual([
      ["send", "t0", "eu", 2],
      ["send", "t1", "eu", 1],
      ["send", "t2", "eu", 1],
      ["<overflow>", "<overflow>", "<overflow>", 47],
    ]);
  });

  it("counts a job named <overflow> in the overflow series", async () => {
    const observer = prometheusJobObserver({ maxSeries: 1 });
    const runner = new ObservedJobRunner(observer);
    for (const name of ["<overflow>", "a", "b"]) runner.run(job(name, () => {}));
    const lines = parse(await observer.registry.metrics());
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "a" })).toBe(1);
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "<overflow>" })).toBe(2);
  });
});
