import { join } from "node:path";
import { type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { Arguments } from "./command-line.ts";

/** A job whose process died is delivered again after this time, and at the latest after twice as long. */
const leaseMs = 3_000;

/**
 * Opens the engine that the command line chose. An embedded one stores its jobs in `folder`. On a server, a repository's jobs have
 * a place of their own, which `key` names: a worker writes to one folder.
 */
export async function openEngine(
  { engine, databaseUrl, redisUrl }: Arguments,
  { key, folder, runner }: { key: string; folder: string; runner: ObservedJobRunner },
): Promise<JobEngine> {
  if (engine === "memory") return memoryEngine({ runner });
  // A library is loaded only if its engine is chosen.
  if (engine === "bullmq" || redisUrl !== undefined) {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    const connection = { url: redisUrl ?? "redis://127.0.0.1:6379" };
    return bullmqEngine({ runner, leaseMs, connection, queue: `users-api-${key}` });
  }
  const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
  if (databaseUrl === undefined) return pgBossEngine({ runner, leaseMs, dataDir: join(folder, "jobs") });
  return pgBossEngine({ runner, leaseMs, connectionString: databaseUrl, schema: `users_api_${key}` });
}
