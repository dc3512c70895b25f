import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type EngineChoice, engineChoiceFrom } from "./engine-choice.ts";
import { UserError } from "./user-error.ts";

/** The parsed command line. */
export interface Arguments {
  readonly command: "demo" | "start" | "help";
  readonly repository: string;
  readonly out: string | undefined;
  readonly concurrency: number;
  /** Undefined: 3000 for `start`, a free one for `demo`. */
  readonly port: number | undefined;
  readonly metrics: boolean;
  readonly serve: boolean;
  readonly engine: EngineChoice;
}

/** The text that `--help` prints. */
export const help = `users-api: a search index and daily digests of a git repository, made by observed jobs

  demo [repository]    run every job once, then print what happened;
                       the next one finishes a run that was interrupted
  start [repository]   stay up as a service on 127.0.0.1: a live page at /jobs/,
                       POST /digests enqueues every job, GET /metrics, GET /healthz;
                       SIGTERM ends it gracefully

  repository           a folder in a git repository (default: the one this program is in)
  --out FOLDER         folder for messages, users.json and commits
                       (default: a folder of the repository's own in ~/.cache/users-api)
  --concurrency N      how many jobs run at once (default: 8)
  --port N             port of the service (default: 3000, and a free one for demo)
  --metrics            demo prints the Prometheus metrics, too
  --serve              demo keeps its live page and its metrics up until Ctrl-C
  --engine NAME        what keeps and delivers the jobs (default: pg-boss)
                       memory    this process; they are lost when it ends
                       pg-boss   PostgreSQL, embedded in the folder unless there is a --database-url
                       bullmq    Redis
  --database-url URL   PostgreSQL server for pg-boss: postgres://user@host:5432/database
  --redis-url URL      Redis server for bullmq (default: redis://127.0.0.1:6379)
  --help               this text

Processes with the same server and repository share the work.

Messages are written as .eml files. If SMTP_URL is set (smtp://host:port), they are sent too.
If OTEL_EXPORTER_OTLP_ENDPOINT is set, spans are exported to it.
The exit status is 0 if only unusable addresses failed, and 1 otherwise.
`;

/**
 * Parses the command line.
 *
 * @throws UserError for an unknown option or an invalid value.
 */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  const [command = "help", repository, ...rest] = positionals;
  if (values.help || command === "help") return { ...defaults, command: "help" };
  if (command !== "demo" && command !== "start")
    throw new UserError(`there is no command "${command}": see --help`);
  if (rest.length > 0) throw new UserError(`one repository at a time: "${rest[0]}" is one too many`);
  return {
    command,
    repository: repository === undefined ? defaults.repository : fromWhereItWasTyped(repository),
    out: values.out === undefined ? undefined : fromWhereItWasTyped(values.out),
    concurrency: wholeNumber("--concurrency", values.concurrency, 1, 1_000) ?? defaults.concurrency,
    port: wholeNumber("--port", values.port, 0, 65_535),
    metrics: values.metrics,
    serve: values.serve,
    engine: engineChoiceFrom(values),
  };
}

const defaults = {
  /** The checkout of this file: three folders up, built or not. */
  repository: fileURLToPath(new URL("../../..", import.meta.url)),
  out: undefined,
  concurrency: 8,
  port: undefined,
  metrics: false,
  serve: false,
  engine: engineChoiceFrom({}),
};

/**
 * Resolves a path against the folder in which the user typed the command. Package managers run scripts in the package's
 * folder, and put the other one into INIT_CWD.
 */
function fromWhereItWasTyped(path: string): string {
  return resolve(process.env.INIT_CWD ?? "", path);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        out: { type: "string" },
        concurrency: { type: "string" },
        port: { type: "string" },
        metrics: { type: "boolean", default: false },
        serve: { type: "boolean", default: false },
        engine: { type: "string" },
        "redis-url": { type: "string" },
        "database-url": { type: "string" },
      },
    });
  } catch (error) {
    throw new UserError(`${(error as Error).message.split(/\. |\.?\n/)[0]}: see --help`, { cause: error });
  }
}

function wholeNumber(option: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
    throw new UserError(`${option} is expected to be a whole number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}
