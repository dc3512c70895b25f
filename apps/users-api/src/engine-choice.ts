import { UserError } from "./user-error.ts";

/** The engine that stores and delivers the jobs, and its server. */
export type EngineChoice =
  | { readonly name: "memory" }
  /** Embedded in the folder of the run if there is no URL. */
  | { readonly name: "pg-boss"; readonly databaseUrl: string | undefined }
  | { readonly name: "bullmq"; readonly redisUrl: string };

/** The options of the command line that choose an engine. */
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
 * Returns the engine that the options choose, by name or by the URL of its server.
 *
 * @throws UserError for an unknown engine, an invalid URL, or a URL of another engine. The message never shows a URL,
 * which may hold a password.
 */
export function engineChoiceFrom(options: EngineOptions): EngineChoice {
  const { "redis-url": redisUrl, "database-url": databaseUrl } = options;
  if (redisUrl !== undefined) requireUrl("--redis-url", redisUrl);
  if (databaseUrl !== undefined) requireUrl("--database-url", databaseUrl);
  if (redisUrl !== undefined && databaseUrl !== undefined) {
    throw new UserError("--redis-url and --database-url belong to different engines: pass one of them");
  }
  const { engine: name = redisUrl === undefined ? "pg-boss" : "bullmq" } = options;
  if (name !== "memory" && name !== "pg-boss" && name !== "bullmq") {
    throw new UserError(`--engine is expected to be memory, pg-boss or bullmq, got "${name}"`);
  }
  if (redisUrl !== undefined && name !== "bullmq") {
    throw new UserError(`--redis-url needs the engine bullmq, but --engine is ${name}`);
  }
  if (databaseUrl !== undefined && name !== "pg-boss") {
    throw new UserError(`--database-url needs the engine pg-boss, but --engine is ${name}`);
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
