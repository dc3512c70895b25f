import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { endsWithThisProcess, freePort } from "test-servers";

const main = fileURLToPath(new URL("../../../../apps/users-api/dist/main.js", import.meta.url));
const run = promisify(execFile);

/** The environment of this process, without variables for git, mail, telemetry or colours. */
const plain = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(GIT_|SMTP_|OTEL_|NODE_OPTIONS$)/.test(name)),
);

/** A git repository whose history a test can take away. */
export interface Repository {
  readonly folder: string;
  /** Lets the branch point to a commit that is missing, so that no history can be read. */
  lose(): Promise<void>;
  restore(): Promise<void>;
}

/** Makes a repository with one commit for each author and day. */
export async function createRepository(
  parent: string,
  commits: readonly { readonly author: string; readonly day: number }[],
): Promise<Repository> {
  const folder = await mkdtemp(join(parent, "repository-"));
  const git = (...args: string[]): Promise<{ stdout: string }> =>
    run("git", ["-C", folder, ...args], { env: { ...plain, GIT_CONFIG_GLOBAL: "/dev/null" } });
  await git("init", "--quiet", "--initial-branch=main");
  const history = commits.map(({ author, day }) => {
    const at = `${1_600_000_000 + day * 86_400} +0000`;
    const address = `<${author}@example.com> ${at}`;
    return `commit refs/heads/main\nauthor ${author} ${address}\ncommitter ${author} ${address}\ndata 4\nwork\n`;
  });
  const importing = git("fast-import", "--quiet") as ReturnType<typeof git> & { child: ChildProcess };
  importing.child.stdin?.end(history.join("\n"));
  await importing;
  const branch = join(folder, ".git/refs/heads/main");
  const { stdout: head } = await git("rev-parse", "HEAD");
  return {
    folder,
    lose: () => writeFile(branch, `${"1".repeat(40)}\n`),
    restore: () => writeFile(branch, head),
  };
}

/** How to start the example. */
export interface UsersApiOptions {
  readonly repository: Repository;
  readonly args: readonly string[];
  /** The mail server that it sends to. */
  readonly smtpUrl?: string;
}

/** The example service as a process, which a test can kill and start again on its port. */
export class UsersApi {
  readonly port: number;
  readonly #options: UsersApiOptions;
  readonly #out: string;
  #child: ChildProcess | undefined;
  #stderr = "";

  private constructor(options: UsersApiOptions, port: number, out: string) {
    this.#options = options;
    this.port = port;
    this.#out = out;
  }

  /** Starts the service with a folder of its own in `parent`. Resolves when it listens. */
  static async start(parent: string, options: UsersApiOptions): Promise<UsersApi> {
    const service = new UsersApi(options, await freePort(), await mkdtemp(join(parent, "out-")));
    await service.start();
    return service;
  }

  async start(): Promise<void> {
    const { repository, args, smtpUrl } = this.#options;
    const options = ["--port", String(this.port), "--out", this.#out, ...args];
    const child = spawn(process.execPath, [main, "start", repository.folder, ...options], {
      env: { ...plain, ...(smtpUrl !== undefined && { SMTP_URL: smtpUrl }) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    endsWithThisProcess(child);
    child.stderr.on("data", (text) => {
      this.#stderr += text;
    });
    const ended = once(child, "exit").then(() => {
      throw new Error(`users-api has ended: ${this.#stderr}`);
    });
    ended.catch(() => {});
    await Promise.race([once(child.stdout, "data"), ended]);
    child.stdout.resume();
  }

  /** Enqueues the digests and the commits of the repository. */
  async enqueue(): Promise<void> {
    const answer = await this.#fetch("/digests", {});
    if (answer.status !== 202) throw new Error(`POST /digests: ${answer.status} ${await answer.text()}`);
  }

  /** Redrives all dead letters, as the button on the page does. */
  async redriveAll(engine: string): Promise<void> {
    const action = { type: "redrive-all", engine, jobName: null, error: null };
    const answer = await this.#fetch("/jobs/api/actions", action);
    if (!answer.ok) throw new Error(`redrive: ${answer.status} ${await answer.text()}`);
  }

  /** Ends the process by SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  #fetch(path: string, body: object): Promise<Response> {
    const origin = `http://127.0.0.1:${this.port}`;
    return fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Nidus-Dashboard": "1", Origin: origin },
      body: JSON.stringify(body),
    });
  }
}
