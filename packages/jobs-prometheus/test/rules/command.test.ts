import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { hasTool } from "../support/tool.ts";

const run = promisify(execFile);
const command = fileURLToPath(new URL("../../dist/rules/command.js", import.meta.url));
const hasPromtool = hasTool("promtool");
let folder: string;

const rules = (...options: string[]): Promise<{ stdout: string; stderr: string }> =>
  run(process.execPath, [command, ...options], { cwd: folder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nidus-rules-command-"));
});

afterAll(() => rm(folder, { recursive: true }));

describe("npx @nidus/jobs-prometheus rules", () => {
  it.skipIf(!hasPromtool)("writes the rules for another prefix and for labels of attributes", async () => {
    const { stdout } = await rules("rules", "--prefix", "acme_", "--attribute-labels", "plan,region");
    expect(stdout.trim().split("\n")).toEqual([
      "acme-recording.yml",
      "acme-alerts.yml",
      "acme-error-budget.yml",
    ]);
    for (const file of await readdir(folder)) {
      const text = await readFile(join(folder, file), "utf8");
      expect(text).not.toMatch(/nidus[_:]/);
      expect(text).toContain("without (instance, pod, plan, region");
      const checked = await run("promtool", ["check", "rules", join(folder, file)]);
      expect(checked.stdout).toContain("SUCCESS");
    }
  });

  it.skipIf(!hasPromtool)(
    "takes the attributeLabels of the observer as they are, and no prefix",
    async () => {
      const output = await mkdtemp(join(tmpdir(), "nidus-rules-output-"));
      onTestFinished(() => rm(output, { recursive: true }));
      await rules("rules", "--prefix", "", "--attribute-labels", "tenant.id, 1st", "--output", output);
      expect((await readdir(output)).sort()).toEqual(["alerts.yml", "error-budget.yml", "recording.yml"]);
      for (const file of await readdir(output)) {
        const text = await readFile(join(output, file), "utf8");
        expect(text).not.toMatch(/nidus[_:]|[^a-z0-9_]:[a-z]/);
        expect(text).toContain("without (instance, pod, tenant_id, _1st");
        const checked = await run("promtool", ["check", "rules", join(output, file)]);
        expect(checked.stdout).toContain("SUCCESS");
      }
    },
  );

  it("refuses a prefix or a label that the observer would refuse, and writes nothing", async () => {
    await expect(rules("rules", "--prefix", "a b", "--output", "missing")).rejects.toMatchObject({
      stderr: expect.stringContaining('got "a b"'),
    });
    await expect(rules("rules", "--prefix", "acme:")).rejects.toMatchObject({
      stderr: expect.stringContaining('got "acme:"'),
    });
    await expect(rules("rules", "--attribute-labels", "plan,job")).rejects.toMatchObject({
      stderr: expect.stringContaining('the label "job", which Prometheus sets itself'),
    });
  });

  it("says how it is used", async () => {
    expect((await rules("--help")).stdout).toContain("Usage: npx @nidus/jobs-prometheus rules");
    await expect(rules()).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining("Usage:") });
    await expect(rules("rules", "--unknown")).rejects.toMatchObject({
      stderr: expect.stringContaining("--unknown"),
    });
  });
});
