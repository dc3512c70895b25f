import { join } from "node:path";
import { EngineUnavailableError, type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { EngineChoice } from "./arguments.ts";
import { repositoryKey } from "./folder.ts";
import { UserError } from "./user-error.ts";

/** Which engine to open, and for which repository. */
export interface OpenEngineOptions {
  readonly choice: EngineChoice;
  readonly repository: string;
  /** The folder of the run, in which an embedded engine stores its jobs. */
  readonly folder: string;
  readonly runner: ObservedJobRunner;
}

/**
 * How soon a job is delivered again after its process dies: after this time, and at the latest after twice as long. A
 * digest takes milliseconds, and workers renew the leases of running jobs.
 */
const leaseMs = 3_000;

/**
 * Opens the engine. On a server, each repository has jobs of its own, since a worker writes to one folder.
 *
 * @throws (rejects with) UserError or EngineUnavailableError. Messages name the place of the jobs, without a password.
 */
export async function openEngine(options: OpenEngineOptions): Promise<JobEngine> {
  try {
    return await open(options);
  } catch (error) {
    if (EngineUnavailableError.isInstance(error) || !(error instanceof Error)) throw error;
    throw new UserError(`cannot open the engine ${options.choice.name}: ${error.message}`, { cause: error });
  }
}

/** Loads an engine only if it is chosen: the others need not be read from the disk. */
async function open({ choice, repository, folder, runner }: OpenEngineOptions): Promise<JobEngine> {
  if (choice.name === "memory") return memoryEngine({ runner });
  const key = await repositoryKey(repository);
  if (choice.name === "bullmq") {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    return bullmqEngine({ runner, leaseMs, queue: `users-api-${key}`, connection: { url: choice.redisUrl } });
  }
  const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
  if (choice.databaseUrl === undefined)
    return pgBossEngine({ runner, leaseMs, dataDir: join(folder, "jobs") });
  return pgBossEngine({ runner, leaseMs, schema: `users_api_${key}`, connectionString: choice.databaseUrl });
}
