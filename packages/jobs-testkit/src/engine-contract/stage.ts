import { randomBytes } from "node:crypto";
import type { DeadLetter, JobCounts, JobEngine, JobWorker, WorkOptions } from "@nidus/jobs-durable";
import { noJobs } from "@nidus/jobs-durable";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import type { EngineContractOptions } from "./engine-contract.ts";
import { Recorder } from "./recorder.ts";

/** How an engine of one test is created. */
export interface StageEngineOptions {
  readonly leaseMs?: number | undefined;
  /** Beside the recorder. */
  readonly observers?: readonly JobObserver[];
}

/** More than all tests leave behind in a store that they share. */
const allDeadLetters = 10_000;

/** What one test works with: engines, job names that nobody else has, and what was observed. It closes what it has opened. */
export class Stage {
  readonly recorder: Recorder = new Recorder();
  readonly #createEngine: EngineContractOptions["createEngine"];
  readonly #suffix = randomBytes(6).toString("hex");
  readonly #engines: JobEngine[] = [];
  readonly #workers: JobWorker[] = [];
  readonly #endings: (() => unknown)[] = [];
  readonly #errors: unknown[] = [];

  constructor(createEngine: EngineContractOptions["createEngine"]) {
    this.#createEngine = createEngine;
  }

  /** A job name of this test's own. */
  name(word = "job"): string {
    return `contract_${word}_${this.#suffix}`;
  }

  /** An engine. A second one shares the first one's store where the engine persists. */
  async engine({ leaseMs, observers = [] }: StageEngineOptions = {}): Promise<JobEngine> {
    const engine = await this.#createEngine({
      runner: new ObservedJobRunner([this.recorder, ...observers]),
      onError: (error) => this.#errors.push(error),
      ...(leaseMs !== undefined && { leaseMs }),
    });
    this.#engines.push(engine);
    return engine;
  }

  async work(engine: JobEngine, options: WorkOptions): Promise<JobWorker> {
    const worker = await engine.work(options);
    this.#workers.push(worker);
    return worker;
  }

  /** Does something when the test has ended, before the engines are closed. */
  atEnd(ending: () => unknown): void {
    this.#endings.push(ending);
  }

  async counts(engine: JobEngine, name: string): Promise<JobCounts> {
    const { byName } = await engine.stats();
    return byName[name] ?? noJobs;
  }

  async deadLetters(engine: JobEngine, name: string): Promise<readonly DeadLetter[]> {
    const letters = await engine.deadLetters({ limit: allDeadLetters });
    return letters.filter((letter) => letter.name === name);
  }

  /** Runs the test, and cleans up after it, also when it fails. */
  async play(body: (stage: Stage) => Promise<void>): Promise<void> {
    try {
      await body(this);
    } catch (error) {
      await this.#end().catch(() => {});
      throw this.#withReports(error);
    }
    await this.#end();
  }

  async #end(): Promise<void> {
    try {
      for (const ending of this.#endings.splice(0)) await ending();
      await Promise.all(this.#workers.map((worker) => worker.stop({ graceMs: 0, abortMs: 100 })));
    } finally {
      await Promise.all(this.#engines.map((engine) => engine.close()));
    }
  }

  /** The error, with what the engines reported meanwhile: it may be the reason. */
  #withReports(error: unknown): unknown {
    if (!(error instanceof Error) || this.#errors.length === 0) return error;
    error.message += `\nThe engine reported: ${this.#errors.map(String).join("; ")}`;
    return error;
  }
}
