import { jobDashboard } from "@nidus/jobs-dashboard";
import { defineJob, type JobWorker } from "@nidus/jobs-durable";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { otelPipeline } from "@nidus/jobs-otel/sdk";
import { production } from "@nidus/observability";
import type { Arguments } from "./command-line.ts";
import { enqueueRun } from "./enqueue-run.ts";
import { openFolder, repositoryKey } from "./folder.ts";
import { readHistory, requireRepository } from "./git-history.ts";
import { indexCommit } from "./jobs/index-commit.ts";
import { Outbox } from "./jobs/outbox.ts";
import { reindexUsers } from "./jobs/reindex-users.ts";
import { sendDigest } from "./jobs/send-digest.ts";
import { openEngine } from "./open-engine.ts";
import { SlowestTrace } from "./slowest-trace.ts";

/** The service: its jobs, its engine and how they are observed. */
export type App = Awaited<ReturnType<typeof openApp>>;

/** Opens the folder, the engine and the telemetry. */
export async function openApp(args: Arguments, observer: JobObserver = {}) {
  const { repository, concurrency } = args;
  await requireRepository(repository);
  const key = await repositoryKey(repository);
  const folder = await openFolder(key, args.out);
  const outbox = new Outbox(folder, process.env.SMTP_URL);
  const slowestTrace = new SlowestTrace();
  const pipeline = otelPipeline({ serviceName: "users-api", spanProcessors: [slowestTrace] });
  const page = jobDashboard();
  const observability = production("users-api").prometheus().otel(pipeline).with(page);
  const runner = new ObservedJobRunner([observability.jobObserver(), observer]);
  const engine = await openEngine(args, { key, folder, runner });
  page.watch(engine);

  const digestJob = sendDigest(outbox, pipeline.tracerProvider.getTracer("users-api"));
  const commitJob = indexCommit(folder);
  const refreshJob = defineJob({
    name: "refresh_users",
    maxAttempts: 1, // the schedule tries again
    run: async () => runner.runAsync(reindexUsers(await readHistory(repository), folder)),
  });

  return {
    folder,
    engine,
    observability,
    page,
    slowestTrace,
    /** Runs `reindex_users` in this process, and stores a job for each of the newest commits and for each author and day. */
    async enqueueRun(signal: AbortSignal) {
      const commits = await readHistory(repository);
      // The digests do not need it, and the observers tell why it failed.
      await runner.runAsync(reindexUsers(commits, folder)).catch(() => {});
      return enqueueRun({ engine, digestJob, commitJob }, commits, signal);
    },
    /** Rewrites `users.json` at the times of a cron expression, in one of the processes that share the engine. Undefined: never. */
    async refreshUsers(cron: string | undefined): Promise<void> {
      if (cron === undefined) return void (await engine.unschedule(refreshJob));
      await engine.schedule(refreshJob, cron);
    },
    /** Starts to run stored jobs, of all processes that share the engine. */
    work: (): Promise<JobWorker> => engine.work({ jobs: [digestJob, commitJob, refreshJob], concurrency }),
    /** Returns how many digests and commits have not ended, in all processes. */
    async countLeft(): Promise<number> {
      const { byName } = await engine.stats();
      const counts = [digestJob, commitJob].flatMap(({ name }) => byName[name] ?? []);
      return counts.reduce((sum, { scheduled, waiting, running }) => sum + scheduled + waiting + running, 0);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await engine.close();
      outbox.close();
      await observability.shutdown();
    },
  };
}
