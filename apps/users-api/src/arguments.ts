import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { UserError } from "./user-error.ts";

/** The engine that stores and delivers the jobs. Without a database, pg-boss is embedded in the folder of the run. */
export type EngineChoice =
  | { readonly name: "memory" }
  | { readonly name: "pg-boss"; readonly databaseUrl: string | undefined }
  | { readonly name: "bullmq"; readonly redisUrl: string };

/** The command line, parsed. */
export interface Arguments {
  readonly repository: string;
  readonly out?: string;
  readonly concurrency: number;
  readonly port?: number;
  readonly metrics?: boolean;
  readonly serve?: boolean;
  /** When `start` refreshes `users.json`, as a cron expression. */
  readonly refresh?: string;
  readonly engine: EngineChoice;
}

type Run = (args: Arguments) => Promise<number>;

const notes = `
Processes with the same server and repository share the work.
Messages are written as .eml files. If SMTP_URL is set (smtp://host:port), they are sent too.
If OTEL_EXPORTER_OTLP_ENDPOINT is set, spans are exported to it.
The exit status is 0 if only unusable addresses failed, and 1 otherwise.`;

/** Makes the command line. It sets the exit status to what a command resolves to. */
export function commandLine(commands: Readonly<Record<"demo" | "start", Run>>): Command {
  const program = new Command("users-api")
    .description("A search index and daily digests of a git repository, made by observed jobs.")
    .addHelpText("after", notes)
    // The value of a misspelt option may be a URL with a password.
    .configureOutput({ outputError: (text, write) => write(text.replace(/=[^']*'/, "'")) });
  addCommand(program, "demo", commands.demo)
    .description("run every job once, or the rest of an interrupted run, then print what happened")
    .option("--metrics", "print the Prometheus metrics, too")
    .option("--serve", "keep the live page and the metrics up until Ctrl-C");
  addCommand(program, "start", commands.start)
    .description(
      "stay up on 127.0.0.1 until SIGTERM: a live page at /jobs/, POST /digests enqueues every job, GET /metrics, GET /healthz",
    )
    .option("--refresh <cron>", 'refresh users.json then, such as "*/5 * * * *" (default: never)');
  return program;
}

/** The checkout of this file: three folders up, built or not. */
const thisRepository = fileURLToPath(new URL("../../..", import.meta.url));

function addCommand(program: Command, name: string, run: Run): Command {
  return program
    .command(name)
    .argument("[repository]", "a folder in a git repository", fromWhereItWasTyped, thisRepository)
    .option("--out <folder>", "for messages and files, instead of one in ~/.cache", fromWhereItWasTyped)
    .option("--concurrency <n>", "how many jobs run at once", wholeNumber(1, 1_000), 8)
    .option("--port <n>", "of the page (default: 3000, and a free one for demo)", wholeNumber(0, 65_535))
    .addOption(
      new Option(
        "--engine <name>",
        "what stores the jobs (default: pg-boss, embedded in the folder)",
      ).choices(["memory", "pg-boss", "bullmq"]),
    )
    .option("--database-url <url>", "the PostgreSQL server of pg-boss: postgres://user@host:5432/database")
    .option("--redis-url <url>", "the Redis server of bullmq (default: redis://127.0.0.1:6379)")
    .action(async (repository, options) => {
      process.exitCode = await run({ ...options, repository, engine: engineChoiceFrom(options) });
    });
}

/**
 * Resolves a path against the folder in which the user typed the command. Package managers run scripts in the package's
 * folder, and put the other one into INIT_CWD.
 */
function fromWhereItWasTyped(path: string): string {
  return resolve(process.env.INIT_CWD ?? "", path);
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is expected to be a whole number from ${min} to ${max}.`);
  };
}

interface EngineOptions {
  readonly engine?: EngineChoice["name"];
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
}

function engineChoiceFrom({ engine, databaseUrl, redisUrl }: EngineOptions): EngineChoice {
  const name = engine ?? (redisUrl === undefined ? "pg-boss" : "bullmq");
  if (databaseUrl !== undefined && name !== "pg-boss")
    throw new UserError(`--database-url is not for ${name}`);
  if (redisUrl !== undefined && name !== "bullmq") throw new UserError(`--redis-url is not for ${name}`);
  requireUrl("--database-url", databaseUrl, /^postgres(ql)?:$/, "postgres://user@127.0.0.1:5432/database");
  requireUrl("--redis-url", redisUrl, /^rediss?:$/, "redis://127.0.0.1:6379");
  if (name === "memory") return { name };
  return name === "pg-boss"
    ? { name, databaseUrl }
    : { name, redisUrl: redisUrl ?? "redis://127.0.0.1:6379" };
}

/** The message shows no URL, which may hold a password. */
function requireUrl(option: string, url: string | undefined, protocol: RegExp, example: string): void {
  if (url === undefined || (URL.canParse(url) && protocol.test(new URL(url).protocol))) return;
  throw new UserError(`${option} is expected to be a URL such as ${example}`);
}
