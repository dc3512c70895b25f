import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasTool } from "../support/tool.ts";
import { alertCases } from "./cases.ts";

const run = promisify(execFile);
const hasPromtool = hasTool("promtool");
const rulesFolder = fileURLToPath(new URL("../../rules", import.meta.url));
const files = ["nidus-recording.yml", "nidus-alerts.yml", "nidus-error-budget.yml"];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-rules-"));
});

afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!hasPromtool)("the rules", () => {
  it.each(files)("of %s are valid", async (file) => {
    const { stdout } = await run("promtool", ["check", "rules", join(rulesFolder, file)]);
    expect(stdout).toContain("SUCCESS");
  });

  it.each([...new Set(Object.values(alertCases).map(({ alert }) => alert))])(
    "judge the cases of %s",
    async (alert) => {
      const cases = Object.entries(alertCases).filter(([, each]) => each.alert === alert);
      // promtool reads YAML, and JSON is YAML.
      const tests = {
        rule_files: files.map((file) => join(rulesFolder, file)),
        group_eval_order: ["nidus-recording", "nidus-alerts", "nidus-error-budget"],
        evaluation_interval: "1m",
        tests: cases.map(([name, { series, firing }]) => ({
          name,
          interval: "1m",
          input_series: Object.entries(series).map(([each, values]) => ({ series: each, values })),
          promql_expr_test: Object.entries(firing).map(([minute, count]) => ({
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
            eval_time: `${minute}m`,
            exp_samples: count > 0 ? [{ labels: "{}", value: count }] : [],
          })),
        })),
      };
      const test = join(folder, `${alert}.yml`);
      await writeFile(test, JSON.stringify(tests));
      const { stdout, stderr } = await run("promtool", ["test", "rules", test]).catch((error) => error);
      expect(`${stdout}${stderr}`).toContain("SUCCESS");
    },
  );

  it("have a case that fires and one that does not, for each alert", async () => {
    const alerts = (
      await Promise.all(files.map((file) => readFile(join(rulesFolder, file), "utf8")))
    ).flatMap((text) => [...text.matchAll(/- alert: (\w+)/g)].map(([, name]) => name));
    expect(alerts.length).toBe(15);
    const countsOf = (alert: string | undefined): number[] =>
      Object.values(alertCases)
        .filter((each) => each.alert === alert)
        .flatMap(({ firing }) => Object.values(firing));
    for (const alert of alerts) {
      expect(Math.max(...countsOf(alert)), alert).toBeGreaterThan(0);
      expect(Math.min(...countsOf(alert)), alert).toBe(0);
    }
  });
});
