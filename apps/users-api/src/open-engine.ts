import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EngineUnavailableError, type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import { throttledWarning } from "@nidus/jobs-durable/backend";
import type { ObservedJobRunner } from "@nidus/jobs-observe";
import type { EngineChoice } from "./engine-choice.ts";
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

/** A process that was just killed may still hold its folder for a moment. */
const folderRetry = { tries: 5, everyMs: 400 };

/**
 * Opens the engine. On a server, each repository has jobs of its own, since a worker writes to one folder.
 *
 * @throws (rejects with) UserError or EngineUnavailableError. Messages name the place of the jobs, without a password.
 */
export async function openEngine(options: OpenEngineOptions): Promise<JobEngine> {
  let isOpen = false;
  const warn = throttledWarning();
  // Until the engine is open, the caller gets its errors as exceptions.
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

/** Loads an engine only if it is chosen: the others need not be read from the disk. */
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
