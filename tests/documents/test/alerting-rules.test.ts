import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import { codeBlocksOf, pageBlocksOf, root, run } from "checks";
import { hasProgram } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const page = "prometheus-and-alerting.md";
const rulesFile = "nidus-rules.yml";
const rules = pageBlocksOf(page).find(({ file }) => file === rulesFile)?.code ?? "";
/** Alert expressions outside of the rules file. */
const expressions = codeBlocksOf(readFileSync(join(root, "packages/jobs-prometheus/README.md"), "utf8"))
  .filter(({ opening }) => opening === "```promql")
  .flatMap(({ code }) => code.trimEnd().split("\n"));
const isThere = hasProgram("promtool", "no alerting rule is evaluated");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nidus-rules-"));
  for (const { file, code } of pageBlocksOf(page)) {
    if (file !== undefined) writeFileSync(join(folder, file), code);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Scraped series, and whether an alert fires. */
interface Case {
  /** One sample a minute, in the notation of promtool: `0+2x9` is 0, 2, 4 … 18, and `1x9` is always 1. */
  readonly series: Readonly<Record<string, string>>;
  readonly alert: string;
  /** Whether the alert fires, by minute. */
  readonly fires: Readonly<Record<number, boolean>>;
  /** @default "mail" */
  readonly jobName?: string;
}

const mail = '{job_name="mail",instance="a"}';

const cases: Readonly<Record<string, Case>> = {
  "failures above a tenth, beside many runs that were cancelled": {
    series: {
      'nidus_jobs_finished_total{job_name="mail",status="success"}': "0+8x60",
      'nidus_jobs_finished_total{job_name="mail",status="failure"}': "0+2x60",
      'nidus_jobs_finished_total{job_name="mail",status="cancelled"}': "0+90x60",
    },
    alert: "JobsFailing",
    fires: { 5: false, 30: true },
  },
  "failures below a tenth": {
    series: {
      'nidus_jobs_finished_total{job_name="mail",status="success"}': "0+19x60",
      'nidus_jobs_finished_total{job_name="mail",status="failure"}': "0+1x60",
    },
    alert: "JobsFailing",
    fires: { 30: false },
  },
  "a success that is too long ago": {
    series: { 'nidus_job_last_success_timestamp_seconds{job_name="nightly_report"}': "60x1600" },
    alert: "JobNotSucceeding",
    fires: { 1400: false, 1502: true },
    jobName: "nightly_report",
  },
  "a success that a deploy has forgotten": {
    series: { 'nidus_job_last_success_timestamp_seconds{job_name="nightly_report"}': "60x10" },
    alert: "JobNotSucceeding",
    fires: { 1400: false, 1502: true, 2600: true, 3000: true },
    jobName: "nightly_report",
  },
  "a job that has never run": {
    series: { [`nidus_job_last_success_timestamp_seconds${mail}`]: "60x60" },
    alert: "JobNotSucceeding",
    fires: { 5: true },
    jobName: "nightly_report",
  },
  "a run that hangs": {
    series: { [`nidus_job_oldest_running_start_timestamp_seconds${mail}`]: "120x120" },
    alert: "JobStuck",
    fires: { 60: false, 63: true },
  },
  "an old backlog that two processes report": {
    series: {
      'nidus_job_oldest_waiting_timestamp_seconds{job_name="mail",instance="a"}': "60x30",
      'nidus_job_oldest_waiting_timestamp_seconds{job_name="mail",instance="b"}': "60x30",
    },
    alert: "JobsWaiting",
    fires: { 10: false, 12: false, 15: true },
  },
  "a dead letter": {
    series: { [`nidus_jobs_dead_lettered_total${mail}`]: "0x99 1x200" },
    alert: "JobsDeadLettered",
    fires: { 90: false, 110: true, 170: false },
  },
  "a dead letter from before the first scrape of its process": {
    series: { [`nidus_jobs_dead_lettered_total${mail}`]: "_x9 1x200" },
    alert: "JobsDeadLettered",
    fires: { 5: false, 15: true, 100: false },
  },
};

describe("the alerting rules of the documents", () => {
  it.skipIf(!isThere)("are valid for Prometheus, with their configuration", async () => {
    const checked = await run("promtool", ["check", "config", join(folder, "prometheus.yml")]);
    expect(checked, checked.output).toMatchObject({ isOk: true });
    expect(checked.output).toContain("7 rules found");
  });

  it.skipIf(!isThere).each(Object.entries(cases))(
    "judge %s",
    async (name, { series, alert, fires, jobName = "mail" }) => {
      const test = join(folder, `${name.replaceAll(" ", "-")}.yml`);
      // promtool reads YAML, and JSON is YAML.
      const tests = {
        rule_files: [rulesFile],
        evaluation_interval: "1m",
        tests: [
          {
            interval: "1m",
            input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
            promql_expr_test: Object.entries(fires).map(([minute, isFiring]) => ({
              expr: `count(ALERTS{alertname="${alert}",alertstate="firing",job_name="${jobName}"})`,
              eval_time: `${minute}m`,
              exp_samples: isFiring ? [{ labels: "{}", value: 1 }] : [],
            })),
          },
        ],
      };
      writeFileSync(test, JSON.stringify(tests));
      const tested = await run("promtool", ["test", "rules", test]);
      expect(tested.isOk, tested.output).toBe(true);
    },
  );

  it.skipIf(!isThere)("are valid expressions outside of the rules file, too", async () => {
    const file = join(folder, "expressions.yml");
    const rulesOf = expressions.map((expr, index) => ({ alert: `Expression${index}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "expressions", rules: rulesOf }] }));
    const checked = await run("promtool", ["check", "rules", file]);
    expect(checked, checked.output).toMatchObject({ isOk: true });
    expect(checked.output).toContain("3 rules found");
  });

  it("name metrics and statuses that exist", async () => {
    const observer = prometheusJobObserver();
    const engine = memoryEngine({ runner: new ObservedJobRunner(observer) });
    const job = defineJob({ name: "mail", run: async () => {} });
    await engine.enqueue(job, undefined);
    await using worker = await engine.work({ jobs: [job] });
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
    await worker.stop();
    const text = await observer.metrics();
    const asked = new Set(
      [rules, ...expressions].join("\n").match(/\bnidus_job[a-z]*_[a-z_]*(?=[[{) ]|$)/gm),
    );
    expect(asked.size).toBe(6);
    for (const name of asked) expect(text).toContain(`# TYPE ${name.replace(/_bucket$/, "")} `);
    for (const [, status] of rules.matchAll(/status!?="(\w+)"/g))
      expect(text).toContain(`status="${status}"`);
    await engine.close();
  });
});
