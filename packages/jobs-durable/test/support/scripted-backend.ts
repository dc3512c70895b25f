import {
  envelopeFrom,
  type JobBackend,
  type JobConsumer,
  type JobEnvelope,
  type JobOutcome,
  type LeasedJob,
  type NameBacklog,
  type NewJob,
  type SettleResult,
} from "../../src/backend.ts";
import type { EngineCapabilities, EnqueuedJob, JobCounts } from "../../src/index.ts";

/** A job as a consumer delivers it: the first of five attempts, unless told otherwise. */
export function fetched(id: string, changes: Partial<LeasedJob> = {}): LeasedJob {
  return {
    id,
    name: "send_mail",
    envelope: { payload: id },
    attempt: 1,
    maxAttempts: 5,
    enqueuedAt: new Date(0),
    runAt: new Date(0),
    isCancelRequested: false,
    followsStalled: false,
    ...changes,
  };
}

/** An answer to a settlement, with a further job if one came. */
export type ScriptedAnswer = SettleResult & { readonly next?: LeasedJob | undefined };

/** A consumer that delivers what the test gives it, does as the test says, and notes what it was asked. */
export class ScriptedConsumer implements JobConsumer<LeasedJob> {
  readonly limits: number[] = [];
  readonly settlements: {
    readonly id: string;
    readonly outcome: JobOutcome;
    readonly wantsNext: boolean;
  }[] = [];
  readonly renewals: string[][] = [];
  /** The jobs of each question which of them are to be cancelled. */
  readonly questions: string[][] = [];
  closings = 0;
  readonly #jobs: LeasedJob[] = [];
  #wake: () => void = () => {};

  /** Replaced by tests that want a consumer to misbehave. */
  onFetch: (limit: number, signal: AbortSignal) => Promise<readonly LeasedJob[]> = (limit, signal) =>
    this.deliver(limit, signal);
  onSettle: (job: LeasedJob, outcome: JobOutcome) => Promise<ScriptedAnswer> = async () => ({
    isRecorded: true,
  });
  onRenewLeases: JobConsumer<LeasedJob>["renewLeases"] = async () => [];
  onCancelRequests: (jobs: readonly LeasedJob[]) => Promise<readonly string[]> = async () => [];
  onClose: () => Promise<void> = async () => {};

  constructor(...jobs: LeasedJob[]) {
    this.#jobs.push(...jobs);
  }

  /** How each job was settled, such as ["a succeeded", "b retried"]. */
  get endings(): string[] {
    return this.settlements.map(({ id, outcome }) => `${id} ${outcome.type}`);
  }

  push(...jobs: LeasedJob[]): void {
    this.#jobs.push(...jobs);
    this.#wake();
  }

  /** Behaves as a good consumer: resolves to at most `limit` jobs when there is one, or to none when the signal is aborted. */
  async deliver(limit: number, signal: AbortSignal): Promise<readonly LeasedJob[]> {
    while (this.#jobs.length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = () => {
          signal.removeEventListener("abort", this.#wake);
          resolve();
        };
        signal.addEventListener("abort", this.#wake);
      });
    }
    return signal.aborted ? [] : this.#jobs.splice(0, limit);
  }

  fetch(limit: number, signal: AbortSignal): Promise<readonly LeasedJob[]> {
    this.limits.push(limit);
    return this.onFetch(limit, signal);
  }

  settle(job: LeasedJob, outcome: JobOutcome): Promise<SettleResult> {
    this.settlements.push({ id: job.id, outcome, wantsNext: false });
    return this.onSettle(job, outcome);
  }

  renewLeases(jobs: readonly LeasedJob[]): ReturnType<JobConsumer<LeasedJob>["renewLeases"]> {
    this.renewals.push(jobs.map(({ id }) => id));
    return this.onRenewLeases(jobs);
  }

  cancelRequests(jobs: readonly LeasedJob[]): Promise<readonly string[]> {
    this.questions.push(jobs.map(({ id }) => id));
    return this.onCancelRequests(jobs);
  }

  close(): Promise<void> {
    this.closings++;
    return this.onClose();
  }
}

/** A consumer whose settlements bring the next job with them. */
export class NextBringingConsumer extends ScriptedConsumer {
  settleAndFetch(job: LeasedJob, outcome: JobOutcome): Promise<ScriptedAnswer> {
    this.settlements.push({ id: job.id, outcome, wantsNext: true });
    return this.onSettle(job, outcome);
  }
}

/** A backend that keeps what it is given, and answers as the test says. */
export class ScriptedBackend implements JobBackend {
  readonly name = "scripted";
  readonly address = "nowhere:1";
  readonly leaseMs: number = 30_000;
  longestFetchMs: number | undefined;
  capabilities: EngineCapabilities = {
    persistence: false,
    schedules: false,
    scheduleKeys: false,
    intervals: false,
    transactions: false,
    priorities: true,
    uniqueKeys: true,
    nullCharacters: true,
    listing: false,
    results: true,
    progress: true,
    snoozing: true,
  };
  readonly inserted: NewJob[] = [];
  readonly sourced: (readonly string[])[] = [];
  closings = 0;
  onInsert: (jobs: readonly NewJob[]) => Promise<readonly EnqueuedJob[]> = async (jobs) =>
    jobs.map(({ id }) => ({ id, isDuplicate: false }));
  onConsumer: () => Promise<JobConsumer<LeasedJob>> = async () => this.script;
  onCancel: (jobId: string) => Promise<boolean> = async () => true;
  onCounts: () => Promise<ReadonlyMap<string, JobCounts>> = async () => new Map();
  isUnreachable?: (error: unknown) => boolean;
  schedule?: NonNullable<JobBackend["schedule"]>;
  schedules?: NonNullable<JobBackend["schedules"]>;
  unschedule?: NonNullable<JobBackend["unschedule"]>;
  ends?: NonNullable<JobBackend["ends"]>;
  watchEnds?: NonNullable<JobBackend["watchEnds"]>;
  readonly script: ScriptedConsumer;

  constructor(script: ScriptedConsumer = new ScriptedConsumer()) {
    this.script = script;
  }

  /** The envelopes of the inserted jobs, read as for a delivery. */
  get envelopes(): JobEnvelope[] {
    return this.inserted.map(({ envelopeText }) => envelopeFrom(envelopeText));
  }

  queueOf(jobName: string): string {
    return `queue of ${jobName}`;
  }

  insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    this.inserted.push(...jobs);
    return this.onInsert(jobs);
  }

  consumer(jobNames: readonly string[]): Promise<JobConsumer<LeasedJob>> {
    this.sourced.push(jobNames);
    return this.onConsumer();
  }

  cancel(jobId: string): Promise<boolean> {
    return this.onCancel(jobId);
  }

  onBacklog: () => Promise<readonly NameBacklog[]> = async () => [];

  backlog(): Promise<readonly NameBacklog[]> {
    return this.onBacklog();
  }

  onPing: () => Promise<void> = async () => {};

  ping(): Promise<void> {
    return this.onPing();
  }

  counts(): Promise<ReadonlyMap<string, JobCounts>> {
    return this.onCounts();
  }

  async deadLetters(): Promise<readonly never[]> {
    return [];
  }

  async redrive(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.closings++;
  }
}
