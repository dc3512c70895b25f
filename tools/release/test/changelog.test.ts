import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

interface Changelog {
  getReleaseLine(changeset: { summary: string; commit?: string }): Promise<string>;
  getDependencyReleaseLine(changesets: unknown, dependencies: readonly object[]): Promise<string>;
}

const file = new URL("../../../.changeset/changelog.js", import.meta.url).href;
const { getReleaseLine, getDependencyReleaseLine } = (await import(file)) as Changelog;

describe("the changelog", () => {
  it("links the commit of a change on the repository's page", async () => {
    const commit = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
    const line = await getReleaseLine({ summary: "Jobs rest.\nAt night.\n", commit });
    expect(line).toContain(
      `[\`${commit.slice(0, 7)}\`](https://github.com/nidus-jobs/nidus/commit/${commit}) Jobs rest.\n  At night.`,
    );
  });

  it("links the pull request of a squashed or merged commit, and none of another commit", () => {
    const repository = mkdtempSync(join(tmpdir(), "nidus-changelog-"));
    onTestFinished(() => rmSync(repository, { recursive: true }));
    const run = (command: string, ...args: string[]): string =>
      execFileSync(command, args, { cwd: repository, encoding: "utf8" }).trim();
    const author = ["-c", "user.name=tester", "-c", "user.email=tester@localhost"];
    const commit = (message: string): string => {
      run("git", ...author, "commit", "--quiet", "--allow-empty", "--message", message);
      return run("git", "rev-parse", "HEAD");
    };
    const lineOf = (sha: string): string =>
      run(
        process.execPath,
        "--input-type=module",
        "--eval",
        `console.log(await (await import("${file}")).getReleaseLine({ summary: "Done.", commit: "${sha}" }));`,
      );
    run("git", "init", "--quiet", "--initial-branch=main");
    const alone = commit("Alone");
    const squashed = commit("Squashed (#12)");
    run("git", "checkout", "--quiet", "-b", "branch");
    const merged = commit("On a branch");
    run("git", "checkout", "--quiet", "main");
    const subject = "Merge pull request #13 from somebody/branch";
    run("git", ...author, "merge", "--quiet", "--no-ff", "branch", "--message", subject);
    const page = "https://github.com/nidus-jobs/nidus";
    expect(lineOf(squashed)).toContain(`- [#12](${page}/pull/12) [`);
    expect(lineOf(merged)).toContain(`- [#13](${page}/pull/13) [`);
    // This commit is older than the merge, which did not bring it.
    expect(lineOf(alone)).toContain(`- [\`${alone.slice(0, 7)}\`](`);
  });

  it("needs no commit", async () => {
    expect(await getReleaseLine({ summary: "Jobs rest." })).toBe("- Jobs rest.");
  });

  it("names raised dependencies in one line, and says nothing if there are none", async () => {
    const dependencies = [
      { name: "@nidus/jobs-core", newVersion: "0.2.0" },
      { name: "@nidus/jobs-observe", newVersion: "0.2.0" },
    ];
    expect(await getDependencyReleaseLine([], dependencies)).toBe(
      "- With `@nidus/jobs-core` 0.2.0, `@nidus/jobs-observe` 0.2.0",
    );
    expect(await getDependencyReleaseLine([], [])).toBe("");
  });
});
