import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EngineUnavailableError, type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import { throttledWarning } from "@nidus/jobs-durable/backend";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { EngineChoice } from "./engine-choice.ts";
import { repositoryKey } from "./run-folder.ts";
import { UserError } from "./user-error.ts";

/** What an engine is opened for. */
export interface OpenEngineOptions {
  readonly choice: EngineChoice;
  readonly repository: string;
  /** The run's own folder, in which an embedded engine keeps its jobs. */
  readonly folder: string;
  readonly runner: ObservedJobRunner;
}

/**
 * How soon after the death of its process a job is delivered again, at the latest twice that. A digest takes milliseconds, and
 * leases of running jobs are renewed.
 */
const leaseMs = 3_000;

/** A process that was killed a moment ago may not be gone yet, and its folder not free. */
const folderRetry = { tries: 5, everyMs: 400 };

/**
 * Opens the engine. On a server, jobs of different repositories are kept apart: a worker writes to the folder of its own.
 *
 * @throws (rejects with) UserError or EngineUnavailableError, whose messages say where the jobs were to be kept, without a password.
 */
export async function openEngine(options: OpenEngineOptions): Promise<JobEngine> {
  let isOpen = false;
  const warn = throttledWarning();
  // Until it is open there is somebody to tell by an exception.
  const onError = (error: unknown): void => void (isOpen && warn(error));
  try {
    const engine = await open(options, onError);
    isOpen = true;
    return engine;
  } catch (error) {
    if (EngineUnavailableError.isInstance(error) || !(error instanceof Error)) throw error;
    throw new UserError(`cannot open the engine ${options.choice.name}: ${error.message}`, { cause: error });
  }
}

/** Engines are loaded when they are asked for: a database that nobody uses need not be read from the disk. */
async function open(
  { choice, repository, folder, runner }: OpenEngineOptions,
  onError: (error: unknown) => void,
): Promise<JobEngine> {
  if (choice.name === "memory") return memoryEngine({ runner, onError });
  const common = { runner, onError, leaseMs };
  if (choice.name === "bullmq") {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    const queue = `users-api-${await repositoryKey(repository)}`;
    return bullmqEngine({ ...common, queue, connection: { url: choice.redisUrl } });
  }
  const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
  if (choice.databaseUrl === undefined) {
    const dataDir = join(folder, "jobs");
    return onceFree(() => pgBossEngine({ ...common, dataDir }));
  }
  const schema = `users_api_${await repositoryKey(repository)}`;
  return pgBossEngine({ ...common, schema, connectionString: choice.databaseUrl });
}

async function onceFree<T>(take: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await take();
    } catch (error) {
      const isTaken = (error as { code?: unknown }).code === "NIDUS_FOLDER_IN_USE";
      if (!isTaken || tries === folderRetry.tries) throw error;
      await delay(folderRetry.everyMs);
    }
  }
}
