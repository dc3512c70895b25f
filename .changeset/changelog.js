import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

// Links come from the checkout alone: no network, no token, and the same lines on every machine.

/** The repository that package.json names, as a page. */
function repository() {
  const { repository } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
}

/**
 * The pull request that brought a commit: in its own subject where it was squashed, else in that of the merge.
 *
 * @param {string} commit
 */
function pullRequestOf(commit) {
  const squashed = /\(#(\d+)\)$/.exec(log("--max-count=1", "--format=%s", commit)[0]);
  if (squashed) return squashed[1];
  const wasNotMerged = log("--first-parent", "--format=%H").some((each) => each.startsWith(commit));
  if (wasNotMerged) return undefined;
  const [merge = ""] = log(
    "--first-parent",
    "--ancestry-path",
    "--reverse",
    "--format=%s",
    `${commit}..HEAD`,
  );
  return /^Merge pull request #(\d+) /.exec(merge)?.[1];
}

/** The lines of `git log`. */
function log(...args) {
  return execFileSync("git", ["log", ...args], { encoding: "utf8" })
    .trim()
    .split("\n");
}

/** @param {string} commit */
function linksOf(commit) {
  const page = repository();
  const request = pullRequestOf(commit);
  return [
    request && `[#${request}](${page}/pull/${request})`,
    `[\`${commit.slice(0, 7)}\`](${page}/commit/${commit})`,
  ].filter(Boolean);
}

/** The entry of one changeset: its links, then its text. */
export async function getReleaseLine({ summary, commit }) {
  const [first, ...others] = summary.trim().split("\n");
  const links = commit ? `${linksOf(commit).join(" ")} ` : "";
  return [`- ${links}${first}`, ...others.map((line) => `  ${line}`.trimEnd())].join("\n");
}

/** The entry of dependencies that were raised: one line, since the family has one version. */
export async function getDependencyReleaseLine(_changesets, dependencies) {
  if (dependencies.length === 0) return "";
  return `- With ${dependencies.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`).join(", ")}`;
}
