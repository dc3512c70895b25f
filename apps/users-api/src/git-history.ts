import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { UserError } from "./user-error.ts";

/** One commit, as far as digests need it. */
export interface Commit {
  readonly hash: string;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly authoredAt: Date;
  readonly subject: string;
}

const run = promisify(execFile);

/** Enough for about a million commits; more than that is no history to send digests of. */
const maxOutputBytes = 512 * 1024 * 1024;

/**
 * The commits reachable from HEAD, newest first, with names and addresses as the repository's .mailmap has them.
 * A history without commits is empty, a shallow one is as long as it is.
 *
 * @throws (rejects with) UserError if git is missing or `repository` is no git repository.
 */
export async function readHistory(repository: string): Promise<Commit[]> {
  await git(repository, ["rev-parse", "--git-dir"]);
  const hasCommits = await git(repository, ["rev-list", "--max-count=1", "--all"]);
  if (hasCommits === "") return [];
  const fields = ["%H", "%aN", "%aE", "%aI", "%s"].join("%x00");
  const output = await git(repository, ["log", "HEAD", "-z", `--format=tformat:${fields}`]);
  return commitsIn(output.split("\0"));
}

function commitsIn(values: readonly string[]): Commit[] {
  const commits: Commit[] = [];
  for (let index = 0; index + 4 < values.length; index += 5) {
    const [hash = "", authorName = "", authorEmail = "", date = "", subject = ""] = values.slice(
      index,
      index + 5,
    );
    commits.push({ hash, authorName, authorEmail, authoredAt: new Date(date), subject });
  }
  return commits;
}

async function git(repository: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run("git", ["-C", repository, ...args], {
      maxBuffer: maxOutputBytes,
      env: { ...process.env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0" },
    });
    return stdout;
  } catch (error) {
    throw new UserError(explain(error, repository), { cause: error });
  }
}

function explain(error: unknown, repository: string): string {
  const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
  if (code === "ENOENT") return "git was not found: install it, or put it on the PATH";
  if (/not a git repository/.test(stderr)) return `${repository} is not a git repository`;
  const reason = stderr.split("\n").find((line) => line.startsWith("fatal: "));
  return `git could not read ${repository}: ${reason?.slice("fatal: ".length) ?? `it ended with ${String(code)}`}`;
}
