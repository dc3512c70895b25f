import type { JobCounts, JobEngine } from "@nidus/jobs-durable";
import type { Retention } from "@nidus/jobs-durable/backend";
import { type JobBacklog, type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "../recording-observer.ts";

/** Options with which a contract makes an engine. */
export interface EngineUnderTestOptions {
  /** Pass it to the engine: the tests observe its runs. */
  readonly runner: ObservedJobRunner;
  /** Pass it to the engine: a failed test lists its errors. */
  readonly onError: (error: unknown) => void;
  /** Given if a test needs leases to end soon. */
  readonly leaseMs?: number;
  /** Given if a test needs an engine of a certain name. */
  readonly name?: string;
}

/** Makes an engine. If the engine is persistent, each call must open the same store. */
export type CreateEngine = (options: EngineUnderTestOptions) => JobEngine | Promise<JobEngine>;

/** Options with which a contract makes an engine that forgets ended jobs soon. */
export interface EngineWithRetentionOptions extends EngineUnderTestOptions, Retention {}

/** Makes an engine that keeps ended jobs for as long as it is told. */
export type CreateWithRetention = (options: EngineWithRetentionOptions) => JobEngine | Promise<JobEngine>;

/** An engine, with the recorder of its runner. */
export interface Opened {
  readonly engine: JobEngine;
  readonly recorder: JobRecorder;
}

/** Gives a test its own job names and its engines, which are closed when the test ends. */
export class Kit {
  readonly #createEngine: CreateEngine;
  readonly createWithRetention: CreateWithRetention | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #engines: JobEngine[] = [];

  constructor(
    createEngine: CreateEngine,
    createWithRetention: CreateWithRetention | undefined,
    onError: (error: unknown) => void,
  ) {
    this.#createEngine = createEngine;
    this.createWithRetention = createWithRetention;
    this.#onError = onError;
  }

  /** Makes a job name that no other test has. */
  name(of: string): string {
    return `${of}_${crypto.randomUUID().slice(0, 8)}`;
  }

  /** Makes an engine whose runner tells `observer` first, and then a recorder. */
  async open(
    options: Pick<EngineUnderTestOptions, "leaseMs" | "name"> = {},
    observer: JobObserver = {},
  ): Promise<Opened> {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner([observer, recorder]);
    const engine = await this.#createEngine({ runner, onError: this.#onError, ...options });
    this.#engines.push(engine);
    return { engine, recorder };
  }

  /** Makes an engine that keeps ended jobs for so long. Resolves to undefined if the author gave no fixture for that. */
  async openWithRetention(retention: Retention): Promise<JobEngine | undefined> {
    const runner = new ObservedJobRunner();
    const engine = await this.createWithRetention?.({ runner, onError: this.#onError, ...retention });
    if (engine !== undefined) this.#engines.push(engine);
    return engine;
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
  }
}

/** Returns the counts of one job name, all zero if the engine has none. */
export async function countsOf(engine: JobEngine, name: string): Promise<JobCounts> {
  const { byName } = await engine.stats();
  return (
    byName[name] ?? {
      scheduled: 0,
      waiting: 0,
      running: 0,
      succeeded: 0,
      deadLettered: 0,
      cancelled: 0,
      oldestWaitingAt: undefined,
    }
  );
}

/** Asks the engine that the recorder has seen for the current backlog of a job name. */
export async function backlogOf(recorder: JobRecorder, jobName: string): Promise<JobBacklog | undefined> {
  return (await recorder.opened[0]?.backlog())?.find((each) => each.jobName === jobName);
}
