import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeBlocksOf, pageBlocksOf, root, run } from "checks";
import { hasProgram } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const page = readFileSync(join(root, "apps/docs/prometheus-and-alerting.md"), "utf8");
const runbooks = readFileSync(join(root, "apps/docs/alerts.md"), "utf8");
const rulesFolder = join(root, "packages/jobs-prometheus/rules");
/** Expressions outside of the rule files. */
const expressions = [
  ...codeBlocksOf(readFileSync(join(root, "packages/jobs-prometheus/README.md"), "utf8"))
    .filter(({ opening }) => opening === "```promql")
    .flatMap(({ code }) => code.trimEnd().split("\n")),
  ...[...page.matchAll(/query: (.*)/g)].map(([, query]) => query as string),
];
const isThere = hasProgram("promtool", "no alerting rule is checked");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nidus-rules-"));
  for (const { file, code } of pageBlocksOf("prometheus-and-alerting.md")) {
    if (file !== undefined) writeFileSync(join(folder, file), code);
  }
  for (const file of readdirSync(rulesFolder)) copyFileSync(join(rulesFolder, file), join(folder, file));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("the documents about alerting", () => {
  it.skipIf(!isThere)("have a configuration that is valid with the rules", async () => {
    const checked = await run("promtool", ["check", "config", join(folder, "prometheus.yml")]);
    expect(checked, checked.output).toMatchObject({ isOk: true });
    expect(checked.output).toContain("14 rules found");
  });

  it.skipIf(!isThere)("have valid expressions outside of the rule files", async () => {
    const file = join(folder, "expressions.yml");
    const rulesOf = expressions.map((expr, index) => ({ alert: `Expression${index}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: "expressions", rules: rulesOf }] }));
    const checked = await run("promtool", ["check", "rules", file]);
    expect(checked, checked.output).toMatchObject({ isOk: true });
    expect(expressions.length).toBeGreaterThan(3);
    expect(checked.output).toContain(`${expressions.length} rules found`);
  });

  it("have a runbook for each alert, and its address in the rule", () => {
    const rules = readdirSync(rulesFolder).map((file) => readFileSync(join(rulesFolder, file), "utf8"));
    const alerts = rules.join("\n").split("- alert: ").slice(1);
    expect(alerts.length).toBe(15);
    for (const alert of alerts) {
      const name = /^\w+/.exec(alert)?.[0] as string;
      expect(runbooks).toContain(`\n### ${name}\n`);
      expect(alert).toContain(`apps/docs/alerts.md#${name.toLowerCase()}\n`);
      for (const key of ["severity:", "summary:", "description:"]) expect(alert).toContain(key);
    }
  });
});
