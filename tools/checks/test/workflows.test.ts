import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../src/repository.ts";
import { checkWorkflow, checkWorkflows } from "../src/workflows.ts";

const workflow = (step: string): string =>
  [
    "on: push",
    "permissions:",
    "  contents: read",
    "jobs:",
    "  test:",
    "    runs-on: ubuntu-latest",
    "    steps:",
    `      - ${step}`,
    "",
  ].join("\n");

const commit = "a".repeat(40);

describe("the workflows", () => {
  it("are sound, and their actions pinned", async () => {
    expect(await checkWorkflows()).toEqual([]);
    expect(await checkWorkflow("a.yml", workflow(`uses: actions/checkout@${commit} # v6.0.2`))).toEqual([]);
  });

  it("may not name an action by its tag, by half a commit, or without its version", async () => {
    for (const action of ["actions/checkout@v6", "actions/checkout@aaaaaaa # v6.0.2", `a/b@${commit}`]) {
      expect(await checkWorkflow("a.yml", workflow(`uses: ${action}`))).toEqual([
        `a.yml:8: ${action} is not pinned to a commit with its version beside it`,
      ]);
    }
  });

  it("may not use another pnpm than the repository's beside a secret", async () => {
    const token = "$" + "{{ secrets.NPM_TOKEN }}";
    const step = `run: npx --yes pnpm@12 release\n        env:\n          NPM_TOKEN: ${token}`;
    const [wrong] = await checkWorkflow("a.yml", workflow(step));
    expect(wrong).toMatch(/^a\.yml:8: pnpm@12 is not pnpm@\d+\.\d+\.\d+, and there is a secret$/);
    expect(await checkWorkflow("a.yml", workflow("run: npx --yes pnpm@12 test"))).toEqual([]);
  });

  it("may not contain an expression without meaning, or an unknown key", async () => {
    const [wrong] = await checkWorkflow("a.yml", workflow("run: echo $" + "{{ matrix.node }}"));
    expect(wrong).toContain('a.yml:8: property "node" is not defined');
    const unknown = await checkWorkflow("a.yml", workflow("runs: echo"));
    expect(unknown.join("\n")).toContain('unexpected key "runs"');
  });
});

describe("the release workflow", () => {
  const text = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
  const [, ...parts] = text.slice(text.indexOf("\njobs:\n")).split(/^ {2}(\w+):$/m);
  const jobs = new Map(
    parts.flatMap((part, index) => (index % 2 === 0 ? [[part, parts[index + 1] ?? ""]] : [])),
  );

  it("gives the token to the publishing command alone", () => {
    expect(text.split("NPM_TOKEN").length - 1).toBe(2);
    const step = jobs
      .get("publish")
      ?.split(/^ {6}- /m)
      .filter((each) => each.includes("NPM_TOKEN"));
    expect(step).toEqual([expect.stringMatching(/^run: .* tools\/release\/dist\/main\.js\n {8}env:\n/)]);
  });

  it("separates the job that publishes from the job that writes to the repository", () => {
    for (const [name, job] of jobs) {
      expect([name, /id-token: write|secrets\.|environment:/.test(job)]).toEqual([name, name === "publish"]);
    }
    expect(jobs.get("publish")).toContain("contents: read");
    expect(jobs.get("publish")).not.toContain("contents: write");
    expect(jobs.get("tag")).toContain("needs: publish");
    expect(jobs.get("tag")).not.toMatch(/pnpm|npm /);
  });
});
