import { createHash, randomUUID } from "node:crypto";
import { JobQueue, type JobReport } from "@nidus/jobs-core";
import { type JobDashboard, jobDashboard } from "@nidus/jobs-dashboard";
import {
  defineJob,
  EngineUnavailableError,
  type JobEngine,
  type JobWithPayload,
  type JobWorker,
} from "@nidus/jobs-durable";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { type OtelPipeline, otelPipeline } from "@nidus/jobs-otel/sdk";
import { type Observability, production } from "@nidus/observability";
import type { Arguments } from "./arguments.ts";
import { openFolder } from "./folder.ts";
import { type Commit, readHistory, requireRepository } from "./history/git-history.ts";
import { digestsOf, shortened } from "./jobs/digest.ts";
import { indexCommit } from "./jobs/index-commit.ts";
import { openOutbox } from "./jobs/outbox.ts";
import { reindexUsers } from "./jobs/reindex-users.ts";
import { sendDigest } from "./jobs/send-digest.ts";
import { openEngine } from "./open-engine.ts";
import { SlowestTrace } from "./trace/slowest-trace.ts";
import { UserError } from "./user-error.ts";

/** How many of the newest commits get a job of their own. */
const maxIndexed = 1_000;

/** The jobs of one run, which have been enqueued. */
export interface EnqueuedRun {
  /** The correlation id of its jobs. */
  readonly runId: string;
  readonly jobs: number;
  /** How many of them an earlier process had stored. */
  readonly duplicates: number;
}

/** The service: its jobs, its engine and how they are observed. */
export interface App extends AsyncDisposable {
  readonly folder: string;
  readonly engine: JobEngine;
  readonly observability: Observability;
  readonly page: JobDashboard;
  readonly slowestTrace: SlowestTrace;
  /**
   * Runs `reindex_users` here, and stores a job for each of the newest commits and for each author and day. While jobs of an earlier
   * run are left, it stores only what that run lacks.
   */
  enqueueRun(signal: AbortSignal): Promise<EnqueuedRun>;
  /** Rewrites `users.json` at the times of a cron expression, in one of the processes that share the engine. Undefined: never. */
  refreshUsers(cron: string | undefined): Promise<void>;
  /** Starts to run stored jobs, of all processes that share the engine. */
  work(): Promise<JobWorker>;
  /** Returns how many digests and commits have not ended, in all processes. */
  countLeft(): Promise<number>;
}

/**
 * Opens the folder, the engine and the telemetry.
 *
 * @throws (rejects with) UserError or EngineUnavailableError.
 */
export async function openApp(
  { repository, out, concurrency, engine: choice }: Arguments,
  observer: JobObserver = {},
): Promise<App> {
  await requireRepository(repository);
  const folder = await openFolder(repository, out);
  const slowestTrace = new SlowestTrace();
  const pipeline = startPipeline(slowestTrace);
  const page = jobDashboard();
  const observability = production("users-api").prometheus().otel(pipeline).with(page);
  const runner = new ObservedJobRunner([observability.jobObserver(), observer]);
  const outbox = openOutbox(folder, process.env.SMTP_URL);
  const engine = await openEngine({ choice, repository, folder, runner });
  page.watch(engine);
  const digestJob = sendDigest(outbox, pipeline.tracerProvider.getTracer("users-api"));
  const commitJob = indexCommit(folder);
  const reindex = (commits: readonly Commit[]): JobReport => {
    const queue = new JobQueue();
    queue.push(reindexUsers(commits, folder));
    return queue.drain({ runner });
  };
  const refreshJob = defineJob({
    name: "refresh_users",
    maxAttempts: 1, // the schedule tries again
    run: async () => reindex(await readHistory(repository)).throwIfFailed(),
  });

  /** Returns the id of the run that has jobs left, or a new one. */
  const unfinishedRun = async (): Promise<string> => {
    for (const { name: jobName } of [digestJob, commitJob]) {
      for (const state of ["waiting", "running", "scheduled"] as const) {
        const [left] = (await engine.jobs({ jobName, state, limit: 1 })).jobs;
        if (left?.correlationId !== undefined) return left.correlationId;
      }
    }
    return randomUUID();
  };

  /** Stores jobs in portions, so that Ctrl-C need not wait for all. Resolves to how many had been stored before. */
  const enqueueAll = async <T>(
    job: JobWithPayload<T>,
    payloads: readonly T[],
    correlationId: string,
    signal: AbortSignal,
  ): Promise<number> => {
    let duplicates = 0;
    for (let first = 0; first < payloads.length && !signal.aborted; first += 200) {
      const portion = payloads.slice(first, first + 200);
      const idempotencyKey = `${correlationId}/${createHash("sha256").update(JSON.stringify(portion)).digest("hex")}`;
      const enqueued = await engine.enqueueMany(job, portion, { idempotencyKey, correlationId });
      duplicates += enqueued.filter(({ isDuplicate }) => isDuplicate).length;
    }
    return duplicates;
  };

  return {
    folder,
    engine,
    observability,
    page,
    slowestTrace,
    async enqueueRun(signal) {
      const commits = await readHistory(repository);
      reindex(commits);
      const digests = digestsOf(commits);
      const indexed = commits
        .slice(0, maxIndexed)
        .map(({ hash, subject }) => ({ hash, subject: shortened(subject) }));
      const runId = await unfinishedRun();
      const duplicates =
        (await enqueueAll(digestJob, digests, runId, signal)) +
        (await enqueueAll(commitJob, indexed, runId, signal));
      return { runId, jobs: digests.length + indexed.length, duplicates };
    },
    async refreshUsers(cron) {
      if (cron === undefined) return void (await engine.unschedule(refreshJob));
      await engine.schedule(refreshJob, cron).catch((error: Error) => {
        throw EngineUnavailableError.isInstance(error) ? error : new UserError(`--refresh: ${error.message}`);
      });
    },
    work: () => engine.work({ jobs: [digestJob, commitJob, refreshJob], concurrency }),
    async countLeft() {
      const { byName } = await engine.stats();
      // The next refresh is always left.
      return [digestJob, commitJob].reduce((sum, { name }) => {
        const { scheduled = 0, waiting = 0, running = 0 } = byName[name] ?? {};
        return sum + scheduled + waiting + running;
      }, 0);
    },
    async [Symbol.asyncDispose]() {
      page.shutdown();
      await engine.close();
      outbox.close();
      await observability.shutdown();
    },
  };
}

function startPipeline(slowestTrace: SlowestTrace): OtelPipeline {
  try {
    return otelPipeline({ serviceName: "users-api", spanProcessors: [slowestTrace] });
  } catch (error) {
    // Only the environment's settings of the export can be wrong here.
    throw new UserError((error as Error).message, { cause: error });
  }
}
