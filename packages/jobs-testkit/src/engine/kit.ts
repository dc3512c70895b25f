import type { JobCounts, JobEngine } from "@nidus/jobs-durable";
import { type JobBacklog, type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "../recording-observer.ts";

/** What an engine under test is made with. */
export interface EngineUnderTestOptions {
  /** Pass it to the engine: the tests hear through it. */
  readonly runner: ObservedJobRunner;
  /** Pass it to the engine: a failed test says what it heard. */
  readonly onError: (error: unknown) => void;
  /** Where a test needs leases to end soon. */
  readonly leaseMs?: number;
}

/** Makes an engine on a store that all tests share; where the engine is persistent, each call opens the same store. */
export type CreateEngine = (options: EngineUnderTestOptions) => JobEngine | Promise<JobEngine>;

/** An engine, and what its runner told. */
export interface Opened {
  readonly engine: JobEngine;
  readonly recorder: JobRecorder;
}

/** What a test of the contract works with: names of its own, and engines that are closed when it ends. */
export class Kit {
  readonly #createEngine: CreateEngine;
  readonly #onError: (error: unknown) => void;
  readonly #engines: JobEngine[] = [];

  constructor(createEngine: CreateEngine, onError: (error: unknown) => void) {
    this.#createEngine = createEngine;
    this.#onError = onError;
  }

  /** A job name that no other test has. */
  name(of: string): string {
    return `${of}_${crypto.randomUUID().slice(0, 8)}`;
  }

  /** An engine whose runner tells a recorder, and `observer` before it. */
  async open(
    options: Pick<EngineUnderTestOptions, "leaseMs"> = {},
    observer: JobObserver = {},
  ): Promise<Opened> {
    const recorder = recordingObserver();
    const runner = new ObservedJobRunner([observer, recorder]);
    const engine = await this.#createEngine({ runner, onError: this.#onError, ...options });
    this.#engines.push(engine);
    return { engine, recorder };
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
  }
}

/** The counts of one job name, all zero where the engine has none. */
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

/** What the recorder's engine says now of what waits under a name. */
export async function backlogOf(recorder: JobRecorder, jobName: string): Promise<JobBacklog | undefined> {
  return (await recorder.opened[0]?.backlog())?.find((each) => each.jobName === jobName);
}
