import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { prometheusJobObserver } from "../src/index.ts";
import { parse, sampleOf } from "./support/exposition.ts";

const engineCounters = [
  "jobs_enqueued_total",
  "job_retries_total",
  "jobs_dead_lettered_total",
  "job_stalled_total",
];

describe("a declared job", () => {
  it("has its counters at 0 before its first run, by the option, by a runner or by an engine", async () => {
    const observer = prometheusJobObserver({ jobs: ["send_digest"] });
    const runner = new ObservedJobRunner(observer);
    runner.declare(
      { name: "reindex" },
      job("backup", () => {}),
    );
    runner.declare({ name: "mail", engine: "bullmq", queue: "q" });

    const lines = parse(await observer.metrics());

    for (const job_name of ["send_digest", "reindex", "backup", "mail"]) {
      expect(sampleOf(lines, "nidus_jobs_started_total", { job_name })).toBe(0);
      for (const status of ["success", "failure", "cancelled"]) {
        expect(sampleOf(lines, "nidus_jobs_finished_total", { job_name, status })).toBe(0);
      }
      expect(sampleOf(lines, "nidus_job_last_success_timestamp_seconds", { job_name })).toBeUndefined();
    }
    for (const name of engineCounters) {
      expect(lines.filter((line) => line.name === `nidus_${name}`)).toEqual([
        { name: `nidus_${name}`, labels: { job_name: "mail" }, value: 0 },
      ]);
    }
  });

  it("shares a series with its runs, and declaring it again changes nothing", async () => {
    const observer = prometheusJobObserver({ jobs: ["send"] });
    const runner = new ObservedJobRunner(observer);
    runner.run(job("send", () => {}));
    for (let i = 0; i < 3; i++) runner.declare({ name: "send", engine: "pg-boss" });

    const lines = parse(await observer.metrics());
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "send" })).toBe(1);
    expect(sampleOf(lines, "nidus_job_stalled_total", { job_name: "send" })).toBe(0);
  });

  it("counts within maxSeries, and has empty labels of attributes", async () => {
    const observer = prometheusJobObserver({
      jobs: ["a", "b", "c"],
      maxSeries: 2,
      attributeLabels: ["tenant"],
    });
    const lines = parse(await observer.metrics()).filter(({ name }) => name === "nidus_jobs_started_total");
    expect(lines.map(({ labels, value }) => [labels.job_name, labels.tenant, value])).toEqual([
      ["a", "", 0],
      ["b", "", 0],
      ["<overflow>", "<overflow>", 0],
    ]);
  });

  it("stays declared when the registry is reset", async () => {
    const observer = prometheusJobObserver({ jobs: ["send"] });
    new ObservedJobRunner(observer).declare({ name: "mail", engine: "bullmq" });
    observer.registry.resetMetrics();
    const lines = parse(await observer.metrics());
    expect(sampleOf(lines, "nidus_jobs_started_total", { job_name: "send" })).toBe(0);
    expect(sampleOf(lines, "nidus_jobs_enqueued_total", { job_name: "mail" })).toBe(0);
  });
});
