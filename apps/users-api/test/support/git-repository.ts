import { execFile } from "node:child_process";
import { temporaryFolder } from "./temporary-folder.ts";

/** The facts of a commit in a test's repository. */
export interface CommitContent {
  readonly name?: string;
  readonly email?: string;
  /** ISO 8601. */
  readonly date?: string;
  readonly message?: string;
}

/** An environment in which git sees neither the machine's settings nor a repository around the tests. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};

/** The environment of this process, without variables for git, mail, telemetry or colours. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(GIT_|SMTP_|OTEL_|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$|NODE_DISABLE_COLORS$|CI$)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...gitEnvironment };
}

/** Runs git. Resolves to its output. */
export function git(
  folder: string,
  args: readonly string[],
  { input = "", env = {} }: { input?: string | Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const committer = {
      GIT_COMMITTER_NAME: "Committer",
      GIT_COMMITTER_EMAIL: "committer@example.com",
      GIT_COMMITTER_DATE: "2024-06-01T12:00:00+00:00",
    };
    const child = execFile(
      "git",
      ["-C", folder, ...args],
      { env: { ...plainEnvironment(), ...committer, ...env } },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
    // A command that reads nothing may end before this is written. Its exit status says whether it succeeded.
    child.stdin?.on("error", () => {}).end(input);
  });
}

/** Makes a repository with these commits, oldest first, on the branch `main`. */
export async function createRepository(commits: readonly CommitContent[]): Promise<string> {
  const folder = await temporaryFolder();
  await git(folder, ["init", "--quiet", "--initial-branch=main"]);
  for (const content of commits) await commitTo(folder, content);
  return folder;
}

/** Commits all files in the folder. Resolves to the hash. */
export async function commitTo(folder: string, content: CommitContent): Promise<string> {
  const {
    name = "Ada",
    email = "ada@example.com",
    date = "2024-01-01T12:00:00Z",
    message = "work",
  } = content;
  await git(folder, ["add", "--all"]);
  await git(
    folder,
    ["commit", "--quiet", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "--file=-"],
    {
      input: message,
      env: {
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    },
  );
  return (await git(folder, ["rev-parse", "HEAD"])).trim();
}

/** Adds a commit with exactly this author line, even if git itself would not write it. */
export async function commitWithAuthorLine(
  folder: string,
  author: string,
  message = "odd",
  furtherHeader = "",
): Promise<string> {
  const tree = (await git(folder, ["mktree"])).trim();
  const lines = [`tree ${tree}`, `author ${author}`, "committer C <c@example.com> 1704110400 +0000"];
  if (furtherHeader !== "") lines.push(furtherHeader);
  const args = ["hash-object", "-t", "commit", "-w", "--literally", "--stdin"];
  const hash = (await git(folder, args, { input: [...lines, "", message, ""].join("\n") })).trim();
  await git(folder, ["update-ref", "HEAD", hash]);
  return hash;
}

/** Returns one commit per week from the first Monday of 2024, by one author. */
export function weeklyCommits(weeks: number, author: CommitContent = {}): CommitContent[] {
  return Array.from({ length: weeks }, (_, index) => ({
    ...author,
    date: new Date(Date.UTC(2024, 0, 1 + 7 * index, 12)).toISOString(),
    message: `work of week ${index}`,
  }));
}
