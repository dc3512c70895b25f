import { describe, expect, it } from "vitest";
import { modeOf } from "../src/mode.ts";

const inWorkflow = {
  GITHUB_ACTIONS: "true",
  GITHUB_WORKFLOW_REF: "nidus-jobs/nidus/.github/workflows/release.yml@refs/heads/main",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://identity.example/",
};

describe("the command line", () => {
  it("rehearses anywhere", () => {
    expect(modeOf(["--dry-run"], {})).toBe("rehearsal");
    expect(modeOf(["--dry-run"], inWorkflow)).toBe("rehearsal");
  });

  it("releases in the release workflow on main, and refuses elsewhere", () => {
    expect(modeOf([], inWorkflow)).toBe("release");
    for (const elsewhere of [
      {},
      { ...inWorkflow, GITHUB_ACTIONS: undefined },
      { ...inWorkflow, ACTIONS_ID_TOKEN_REQUEST_URL: undefined },
      { ...inWorkflow, GITHUB_WORKFLOW_REF: "nidus-jobs/nidus/.github/workflows/ci.yml@refs/heads/main" },
      {
        ...inWorkflow,
        GITHUB_WORKFLOW_REF: "nidus-jobs/nidus/.github/workflows/release.yml@refs/heads/other",
      },
    ]) {
      expect(() => modeOf([], elsewhere)).toThrow("rehearse with --dry-run");
    }
  });

  it("refuses unknown arguments", () => {
    expect(() => modeOf(["--dryrun"], inWorkflow)).toThrow(
      "expected nothing or --dry-run, received --dryrun",
    );
  });
});
