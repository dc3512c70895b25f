import { describe, expect, it } from "vitest";
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

  it("are watched: an action by its tag, by half a commit, or without its version", async () => {
    for (const action of ["actions/checkout@v6", "actions/checkout@aaaaaaa # v6.0.2", `a/b@${commit}`]) {
      expect(await checkWorkflow("a.yml", workflow(`uses: ${action}`))).toEqual([
        `a.yml:8: ${action} is not pinned to a commit with its version beside it`,
      ]);
    }
  });

  it("are watched: an expression that means nothing, and a key that does not exist", async () => {
    const [wrong] = await checkWorkflow("a.yml", workflow("run: echo $" + "{{ matrix.node }}"));
    expect(wrong).toContain('a.yml:8: property "node" is not defined');
    const unknown = await checkWorkflow("a.yml", workflow("runs: echo"));
    expect(unknown.join("\n")).toContain('unexpected key "runs"');
  });
});
