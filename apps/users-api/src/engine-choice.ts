import { UserError } from "./user-error.ts";

/** The engine that keeps and delivers the jobs, and where it keeps them. */
export type EngineChoice =
  | { readonly name: "memory" }
  /** Without a URL it is embedded, in the folder of the run. */
  | { readonly name: "pg-boss"; readonly databaseUrl: string | undefined }
  | { readonly name: "bullmq"; readonly redisUrl: string };

/** What the command line says of engines. */
export interface EngineOptions {
  readonly engine?: string | undefined;
  readonly "redis-url"?: string | undefined;
  readonly "database-url"?: string | undefined;
}

const defaultRedisUrl = "redis://127.0.0.1:6379";

const protocols = {
  "--redis-url": ["redis:", "rediss:"],
  "--database-url": ["postgres:", "postgresql:"],
} as const;

const examples = {
  "--redis-url": defaultRedisUrl,
  "--database-url": "postgres://user@127.0.0.1:5432/database",
} as const;

/**
 * The engine that was asked for by name, or by the URL of its server.
 *
 * @throws UserError for an engine that there is none of, a URL that is none, or one that the engine has no use for. It never shows a
 * URL, which may have a password in it.
 */
export function engineChoiceFrom(options: EngineOptions): EngineChoice {
  const { "redis-url": redisUrl, "database-url": databaseUrl } = options;
  if (redisUrl !== undefined) requireUrl("--redis-url", redisUrl);
  if (databaseUrl !== undefined) requireUrl("--database-url", databaseUrl);
  if (redisUrl !== undefined && databaseUrl !== undefined) {
    throw new UserError("--redis-url and --database-url are of different engines: one at a time");
  }
  const { engine: name = redisUrl === undefined ? "pg-boss" : "bullmq" } = options;
  if (name !== "memory" && name !== "pg-boss" && name !== "bullmq") {
    throw new UserError(`--engine is expected to be memory, pg-boss or bullmq, got "${name}"`);
  }
  if (redisUrl !== undefined && name !== "bullmq") {
    throw new UserError(`--redis-url is of the engine bullmq, and --engine is ${name}`);
  }
  if (databaseUrl !== undefined && name !== "pg-boss") {
    throw new UserError(`--database-url is of the engine pg-boss, and --engine is ${name}`);
  }
  if (name === "memory") return { name };
  return name === "pg-boss" ? { name, databaseUrl } : { name, redisUrl: redisUrl ?? defaultRedisUrl };
}

function requireUrl(option: keyof typeof protocols, url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (!(protocols[option] as readonly string[]).includes(protocol)) {
    throw new UserError(`${option} is expected to be a URL such as ${examples[option]}`);
  }
}
