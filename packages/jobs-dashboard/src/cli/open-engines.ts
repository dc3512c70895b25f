import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import type { WatchedEngine } from "../engines/watched-engine.ts";
import { type CliArguments, UsageError } from "./arguments.ts";

/** An engine as the command uses it. */
interface OpenedEngine extends WatchedEngine {
  close(): Promise<void>;
}

type OpenEngine = (options: object) => Promise<OpenedEngine>;

/**
 * Opens the engines that the arguments name.
 *
 * @throws (rejects with) UsageError if a package is missing; what the engine rejects with.
 */
export async function openEngines(given: CliArguments): Promise<readonly OpenedEngine[]> {
  const { databaseUrl, schema, redisUrl, queue, prefix } = given;
  // The command does not know the retention of the service, so it must not remove anything.
  const common = { runner: new ObservedJobRunner(), upkeep: false };
  const engines: OpenedEngine[] = [];
  if (databaseUrl !== undefined) {
    const open = await engineFactory("@nidus/jobs-pg-boss", "pgBossEngine", "pg-boss");
    engines.push(await open({ ...common, connectionString: databaseUrl, schema, maxConnections: 2 }));
  }
  if (redisUrl !== undefined) {
    const open = await engineFactory("@nidus/jobs-bullmq", "bullmqEngine", "bullmq");
    engines.push(await open({ ...common, connection: { url: redisUrl }, queue, prefix }));
  }
  return engines;
}

/** Finds an engine's package in the current folder, or else beside this one, as `npx --package` installs it. */
async function engineFactory(name: string, member: string, library: string): Promise<OpenEngine> {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    let path: string;
    try {
      path = createRequire(from).resolve(name);
    } catch {
      continue;
    }
    const module = (await import(pathToFileURL(path).href)) as Record<string, OpenEngine>;
    return module[member] as OpenEngine;
  }
  throw new UsageError(
    `${name} is not installed here. Run this command in the folder of your service, or install it beside:\n` +
      `  npx -p @nidus/jobs-dashboard -p ${name} -p ${library} jobs-dashboard …`,
  );
}
