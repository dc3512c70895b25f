import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { UserError } from "../user-error.ts";

/** The facts about a commit that digests need. */
export interface Commit {
  readonly hash: string;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly authoredAt: Date;
  readonly subject: string;
}

const run = promisify(execFile);

/**
 * Settings that could run programs or fetch objects while git reads a repository. The command line wins over the
 * repository's configuration and over files that it includes.
 */
const unheeded = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.pager=cat",
  "core.sshCommand=false",
  "core.askPass=false",
  "core.alternateRefsCommand=false",
  "credential.helper=",
  "log.showSignature=false",
  "gpg.program=false",
  "gpg.openpgp.program=false",
  "gpg.ssh.program=false",
  "gpg.x509.program=false",
  "diff.external=",
].flatMap((setting) => ["-c", setting]);

const readOnly = ["--no-pager", "--no-replace-objects", ...unheeded];

/** Enough for about a million commits. A longer history is refused. */
const maxOutputBytes = 512 * 1024 * 1024;

/**
 * Returns the commits that are reachable from HEAD, newest first. Names and addresses follow the repository's .mailmap.
 * A history without commits gives an empty array, and a shallow clone gives the commits that it has.
 *
 * @throws (rejects with) UserError if git is missing or `repository` is no git repository.
 */
export async function readHistory(repository: string): Promise<Commit[]> {
  await requireRepository(repository);
  if (!(await hasCommits(repository))) return [];
  const fields = ["%H", "%aN", "%aE", "%at", "%ct", "%s"].join("%x00");
  const format = ["--encoding=UTF-8", "-z", `--format=tformat:${fields}`];
  const commitsAlone = ["--no-show-signature", "--no-patch", "--no-ext-diff", "--no-textconv", "--no-notes"];
  const output = await git(repository, ["log", ...commitsAlone, ...format, "HEAD", "--"]);
  return commitsIn(output.split("\0"));
}

/**
 * Checks that `repository` is a git repository.
 *
 * @throws (rejects with) UserError if git is missing or `repository` is no git repository.
 */
export async function requireRepository(repository: string): Promise<void> {
  await git(repository, ["rev-parse", "--git-dir"]);
}

/** Tells whether the checked-out branch has commits. A new branch is a name that points to nothing. */
async function hasCommits(repository: string): Promise<boolean> {
  try {
    await git(repository, ["rev-parse", "--quiet", "--verify", "HEAD"]);
    return true;
  } catch (error) {
    const { code, stderr } = (error as UserError).cause as { code?: unknown; stderr?: string };
    if (code === 1 && stderr === "") return false;
    throw error;
  }
}

function commitsIn(values: readonly string[]): Commit[] {
  const commits: Commit[] = [];
  for (let index = 0; index + 5 < values.length; index += 6) {
    const [hash = "", authorName = "", authorEmail = "", authored = "", committed = "", subject = ""] =
      values.slice(index, index + 6);
    commits.push({ hash, authorName, authorEmail, authoredAt: timeOf(authored, committed), subject });
  }
  return commits;
}

/** Returns the author's time, or the committer's if the author line holds no valid one. Both are in seconds since 1970. */
function timeOf(authored: string, committed: string): Date {
  const times = [authored, committed]
    .filter((text) => text !== "")
    .map((text) => new Date(Number(text) * 1000));
  return times.find((time) => !Number.isNaN(time.getTime())) ?? new Date(0);
}

async function git(repository: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run("git", ["-C", repository, ...readOnly, ...args], {
      maxBuffer: maxOutputBytes,
      env: gitEnvironment(),
    });
    return stdout;
  } catch (error) {
    throw new UserError(explain(error, repository), { cause: error });
  }
}

/**
 * Removes variables that could point git to another repository, such as those of a hook. Git reads only the objects
 * that are there: it completes no partial clone, by fetching or by running a program.
 */
function gitEnvironment(): NodeJS.ProcessEnv {
  const settings = Object.entries(process.env).filter(([name]) => !/^GIT_(?!CONFIG|EXEC|TRACE)/.test(name));
  return {
    ...Object.fromEntries(settings),
    LC_ALL: "C",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_ALLOW_PROTOCOL: "none",
    GIT_NO_LAZY_FETCH: "1",
  };
}

function explain(error: unknown, repository: string): string {
  const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
  if (code === "ENOENT") return "git was not found: install it, or add it to the PATH";
  if (/not a git repository/.test(stderr)) return `${repository} is not a git repository`;
  const reason = stderr.split("\n").find((line) => line.startsWith("fatal: "));
  return `git could not read ${repository}: ${reason?.slice("fatal: ".length) ?? `it ended with ${String(code)}`}`;
}
