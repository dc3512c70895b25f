import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The facts about a commit that the jobs need. */
export interface Commit {
  readonly hash: string;
  readonly authorName: string;
  readonly authorEmail: string;
  /** ISO 8601, in UTC. */
  readonly authoredAt: string;
  readonly subject: string;
}

/** Longer author names and subjects are cut, so that the largest digest fits into the 1 MiB of a stored job. */
const maxFieldLength = 1_000;

/** The year 10000 in Unix seconds. ISO 8601 writes later years in a form of its own. */
const endOfYears = 253_402_300_800;

/** Enough for about a million commits. A longer history is refused. */
const maxOutputBytes = 512 * 1024 * 1024;

/**
 * Returns the commits that are reachable from HEAD, newest first: none on a branch without commits, and those that are there in a
 * shallow clone. Names and addresses follow the repository's .mailmap.
 *
 * @throws (rejects with) Error if git is missing or cannot read the repository.
 */
export async function readHistory(repository: string): Promise<Commit[]> {
  const format = `--format=${["%H", "%aN", "%aE", "%at", "%s"].join("%x00")}`;
  try {
    const output = await git(repository, ["rev-list", "--encoding=UTF-8", format, "HEAD", "--"]);
    // Each commit has a line of its own, after one with its hash alone. No field holds a line break.
    return output.split("\n").flatMap((line) => commitIn(line.split("\0").map(shortened)) ?? []);
  } catch (error) {
    if (/bad revision 'HEAD'/.test((error as Error).message)) return [];
    throw error;
  }
}

function commitIn(fields: readonly string[]): Commit | undefined {
  const [hash = "", authorName = "", authorEmail = "", seconds, subject] = fields;
  if (subject === undefined) return undefined;
  // An author line may have any time, or none.
  const isUsable = Number(seconds) >= 0 && Number(seconds) < endOfYears;
  const authoredAt = new Date(isUsable ? Number(seconds) * 1_000 : 0).toISOString();
  return { hash, authorName, authorEmail, authoredAt, subject };
}

/** Cuts an untrusted text without splitting a surrogate pair, of which PostgreSQL refuses half. */
function shortened(text: string): string {
  if (text.length <= maxFieldLength) return text;
  return `${text.slice(0, maxFieldLength - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** @throws (rejects with) Error if git is missing or `repository` is no git repository. */
export async function requireRepository(repository: string): Promise<void> {
  await git(repository, ["rev-parse", "--git-dir"]);
}

/**
 * Runs a plumbing command of git on a repository that may be hostile. Unlike `git log`, these commands start no pager, no signature
 * check and no external diff, whatever the repository's configuration says.
 */
async function git(repository: string, command: readonly string[]): Promise<string> {
  const options = { env: gitEnvironment(), maxBuffer: maxOutputBytes };
  try {
    return (await promisify(execFile)("git", ["--no-pager", "-C", repository, ...command], options)).stdout;
  } catch (error) {
    throw new Error(explain(error as { code?: unknown; stderr?: string }, repository), { cause: error });
  }
}

/** Leaves out variables that point git to another repository, such as those of a hook. */
function gitEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^GIT_(?!CONFIG|EXEC|TRACE)/.test(name));
  return {
    ...Object.fromEntries(kept),
    LC_ALL: "C", // `explain` reads messages
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    // A partial clone would fetch what it lacks, by programs that its configuration names.
    GIT_NO_LAZY_FETCH: "1",
    GIT_ALLOW_PROTOCOL: "none", // for versions of git that do not know the line above
  };
}

function explain({ code, stderr = "" }: { code?: unknown; stderr?: string }, repository: string): string {
  if (code === "ENOENT") return "git was not found: install it, or add it to the PATH";
  if (/not a git repository/.test(stderr)) return `${repository} is not a git repository`;
  const reason = /^fatal: (.*)/m.exec(stderr)?.[1] ?? `it ended with ${String(code)}`;
  return `git could not read ${repository}: ${reason}`;
}
