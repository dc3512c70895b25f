import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";

/** The command line, parsed. */
export interface Arguments {
  /** The folder of a git repository. */
  readonly repository: string;
  readonly out?: string;
  readonly concurrency: number;
  readonly port?: number;
  readonly metrics?: boolean;
  readonly serve?: boolean;
  /** When `start` refreshes `users.json`, as a cron expression. */
  readonly refresh?: string;
  readonly engine?: "memory" | "pg-boss" | "bullmq";
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
}

/** Resolves to the exit status. */
type Run = (args: Arguments) => Promise<number>;

const notes = `
Processes with the same server and repository share the work.
Messages are written as .eml files. If SMTP_URL is set (smtp://host:port), they are sent too.
If OTEL_EXPORTER_OTLP_ENDPOINT is set, spans are exported to it.
If DEBUG is set, an error is printed with its stack.
The exit status is 0 if only unusable addresses failed, and 1 otherwise.`;

/** The checkout of this file: three folders up, built or not. */
const thisRepository = resolve(fileURLToPath(new URL("../../..", import.meta.url)));

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

function addCommand(program: Command, name: string, run: Run): Command {
  const engine = new Option(
    "--engine <name>",
    "what stores the jobs (default: pg-boss, embedded in the folder)",
  ).choices(["memory", "pg-boss", "bullmq"]);
  return program
    .command(name)
    .argument("[repository]", "a folder in a git repository", fromWhereItWasTyped, thisRepository)
    .option("--out <folder>", "for messages and files, instead of one in ~/.cache", fromWhereItWasTyped)
    .option("--concurrency <n>", "how many jobs run at once", wholeNumber(1, 1_000), 8)
    .option("--port <n>", "of the page (default: 3000, and a free one for demo)", wholeNumber(0, 65_535))
    .addOption(engine)
    .option("--database-url <url>", "the PostgreSQL server of pg-boss: postgres://user@host:5432/database")
    .option("--redis-url <url>", "the Redis server of bullmq (default: redis://127.0.0.1:6379)")
    .action(async (repository: string, options: Omit<Arguments, "repository">, command: Command) => {
      const { engine = "none", databaseUrl, redisUrl } = options;
      if (redisUrl !== undefined && (databaseUrl !== undefined || /memory|pg-boss/.test(engine)))
        command.error("error: --redis-url is for the engine bullmq");
      if (databaseUrl !== undefined && /memory|bullmq/.test(engine))
        command.error("error: --database-url is for the engine pg-boss");
      process.exitCode = await run({ ...options, repository });
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
