import type { DurableJob, JobEngine, JobWorker } from "@nidus/jobs-durable";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { Digest } from "./digest.ts";
import type { DigestPayload } from "./digest-payload.ts";
import type { EngineChoice } from "./engine-choice.ts";
import { openEngine } from "./open-engine.ts";
import { openOutbox } from "./outbox.ts";
import { RunTracker } from "./run-tracker.ts";
import { sendDigest, sendDigestName } from "./send-digest.ts";
import type { Telemetry } from "./telemetry.ts";

/** How digests are stored and sent. */
export interface DigestEngineOptions {
  readonly choice: EngineChoice;
  readonly repository: string;
  /** The folder for messages, and for the jobs of an embedded engine. */
  readonly folder: string;
  readonly smtpUrl: string | undefined;
  readonly concurrency: number;
  readonly telemetry: Telemetry;
  /** Observers in addition to those of the service. */
  readonly observers?: readonly JobObserver[];
}

/** An engine that sends digests. */
export interface DigestEngine extends AsyncDisposable {
  readonly engine: JobEngine;
  readonly job: DurableJob<DigestPayload, Digest>;
  readonly runner: ObservedJobRunner;
  readonly tracker: RunTracker;
  /** Returns how many digests have not ended, of all processes that share the engine. */
  countLeft(): Promise<number>;
  /** Starts to send digests, of all processes that share the engine. Repeated calls do nothing. */
  work(): Promise<void>;
  /**
   * Starts no further digest, and gives digests that do not end soon back to the queue. Repeated calls wait for the
   * first. Never rejects.
   */
  stop(): Promise<void>;
  /** Stops, and closes the engine and the outbox. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Running digests get half a second to end, and two more after their signals are aborted. */
const stopOptions = { graceMs: 500, abortMs: 2_000 };

/**
 * Opens the outbox and the engine.
 *
 * @throws (rejects with) UserError or EngineUnavailableError if the folder, SMTP_URL or the engine cannot be used.
 */
export async function openDigestEngine(options: DigestEngineOptions): Promise<DigestEngine> {
  const { choice, repository, folder, smtpUrl, concurrency, telemetry, observers = [] } = options;
  const tracker = new RunTracker();
  const runner = new ObservedJobRunner([telemetry.observability.jobObserver(), tracker, ...observers]);
  const outbox = await openOutbox(folder, smtpUrl);
  const engine = await openEngine({ choice, repository, folder, runner }).catch((error) => {
    outbox.close();
    throw error;
  });
  const job = sendDigest(outbox, telemetry.tracer);
  let worker: Promise<JobWorker> | undefined;

  const stop = async (): Promise<void> => {
    // The caller of `work` got the error of a worker that could not be started.
    await worker?.then(
      (started) => started.stop(stopOptions),
      () => {},
    );
  };

  return {
    engine,
    job,
    runner,
    tracker,
    async countLeft() {
      const { byName } = await engine.stats();
      const { scheduled = 0, waiting = 0, running = 0 } = byName[sendDigestName] ?? {};
      return scheduled + waiting + running;
    },
    async work() {
      worker ??= engine.work({ jobs: [job], concurrency });
      await worker;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await engine.close();
      outbox.close();
    },
  };
}
