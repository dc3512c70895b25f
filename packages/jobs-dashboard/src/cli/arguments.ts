import { parseArgs } from "node:util";

/** The text of `--help`. */
export const help = `Opens the jobs page on stores that are in use, for this machine alone.

  npx @nidus/jobs-dashboard --database-url postgres://… | --redis-url redis://…

Run it in the folder of a service that has @nidus/jobs-pg-boss or @nidus/jobs-bullmq.

  --database-url URL  the PostgreSQL of pg-boss
  --schema NAME       the schema of pg-boss's tables (default: pgboss)
  --redis-url URL     the Redis of BullMQ
  --queue NAME        the first part of the queues' names, as in bullmqEngine (default: nidus)
  --prefix NAME       the first part of Redis keys (default: bull)
  --port NUMBER       the port on 127.0.0.1 (default: 7788; 0 for any free one)
  --read-only         shows everything, and changes nothing
  --help              this text
`;

/** The stores to open, and how the page is served. */
export interface CliArguments {
  readonly isHelp: boolean;
  readonly isReadOnly: boolean;
  readonly port: number;
  readonly databaseUrl: string | undefined;
  readonly schema: string | undefined;
  readonly redisUrl: string | undefined;
  readonly queue: string | undefined;
  readonly prefix: string | undefined;
}

/** A mistake in the arguments. Its message is for the terminal. */
export class UsageError extends Error {}

/** @throws UsageError for arguments that do not exist or do not fit. */
export function cliArguments(args: readonly string[]): CliArguments {
  const values = parsed(args);
  const databaseUrl = urlOf("--database-url", values["database-url"], /^postgres(ql)?:$/);
  const redisUrl = urlOf("--redis-url", values["redis-url"], /^rediss?:$/);
  const isHelp = values.help === true;
  if (!isHelp && databaseUrl === undefined && redisUrl === undefined) {
    throw new UsageError("expected --database-url or --redis-url");
  }
  const { schema, queue, prefix } = values;
  const isReadOnly = values["read-only"] === true;
  return { isHelp, isReadOnly, port: portOf(values.port), databaseUrl, schema, redisUrl, queue, prefix };
}

type Values = Partial<
  Record<"database-url" | "schema" | "redis-url" | "queue" | "prefix" | "port", string> &
    Record<"read-only" | "help", boolean>
>;

function parsed(args: readonly string[]): Values {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        "database-url": text,
        schema: text,
        "redis-url": text,
        queue: text,
        prefix: text,
        port: text,
        "read-only": flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A URL may hold a password, so no message shows it. */
function urlOf(name: string, text: string | undefined, protocol: RegExp): string | undefined {
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || !protocol.test(new URL(text).protocol)) {
    throw new UsageError(
      `expected ${name} to be a URL such as ${name === "--redis-url" ? "redis" : "postgres"}://host`,
    );
  }
  return text;
}

function portOf(text = "7788"): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`expected --port to be a number from 0 to 65535, got ${JSON.stringify(text)}`);
}
