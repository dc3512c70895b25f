import { equal } from "node:assert/strict";
import { asyncJob, job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import type { Checks } from "./check.ts";

export const checks: Checks = {
  async "runs are in the exposition text, as prom-client writes it"() {
    const observer = prometheusJobObserver();
    const runner = new ObservedJobRunner(observer);
    runner.run(job("send_digest", () => {}));
    const failing = asyncJob("send_digest", async () => {
      throw new Error("no such user");
    });
    await runner.runAsync(failing).catch(() => {});
    const text = await observer.metrics();
    equal(text, await observer.registry.metrics());
    for (const line of [
      "# TYPE nidus_jobs_started_total counter",
      'nidus_jobs_started_total{job_name="send_digest"} 2',
      'nidus_jobs_finished_total{job_name="send_digest",status="failure"} 1',
      'nidus_job_duration_seconds_bucket{le="+Inf",job_name="send_digest",status="success"} 1',
      'nidus_jobs_in_progress{job_name="send_digest"} 0',
    ]) {
      equal(text.split("\n").includes(line), true, `${line} is missing`);
    }
  },
};
