import type {
  EngineCapabilities,
  FetchedJob,
  JobBackend,
  JobCounts,
  JobSource,
  NewJob,
  Settled,
  Settlement,
} from "../../src/index.ts";

/** A job as a source delivers it: the first of five attempts, unless told otherwise. */
export function fetched(id: string, changes: Partial<FetchedJob> = {}): FetchedJob {
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

/** A source that delivers what the test gives it, does as the test says, and notes what it was asked. */
export class ScriptedSource implements JobSource<FetchedJob> {
  readonly limits: number[] = [];
  readonly settlements: {
    readonly id: string;
    readonly settlement: Settlement;
    readonly wantsNext: boolean;
  }[] = [];
  readonly renewals: string[][] = [];
  closings = 0;
  bringsNext = false;
  readonly #jobs: FetchedJob[] = [];
  #wake: () => void = () => {};

  /** Replaced by tests that want a source to misbehave. */
  onFetch: (limit: number, signal: AbortSignal) => Promise<readonly FetchedJob[]> = (limit, signal) =>
    this.deliver(limit, signal);
  onSettle: (job: FetchedJob, settlement: Settlement) => Promise<Settled<FetchedJob>> = async () => ({
    isRecorded: true,
  });
  onKeepAlive: (jobs: readonly FetchedJob[]) => Promise<readonly string[]> = async () => [];
  onClose: () => Promise<void> = async () => {};

  constructor(...jobs: FetchedJob[]) {
    this.#jobs.push(...jobs);
  }

  /** How each job was settled, such as ["a succeeded", "b retried"]. */
  get endings(): string[] {
    return this.settlements.map(({ id, settlement }) => `${id} ${settlement.type}`);
  }

  push(...jobs: FetchedJob[]): void {
    this.#jobs.push(...jobs);
    this.#wake();
  }

  /** What a good source does: at most `limit` jobs, as soon as there is one, or none once the signal is aborted. */
  async deliver(limit: number, signal: AbortSignal): Promise<readonly FetchedJob[]> {
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

  fetch(limit: number, signal: AbortSignal): Promise<readonly FetchedJob[]> {
    this.limits.push(limit);
    return this.onFetch(limit, signal);
  }

  settle(job: FetchedJob, settlement: Settlement, wantsNext: boolean): Promise<Settled<FetchedJob>> {
    this.settlements.push({ id: job.id, settlement, wantsNext });
    return this.onSettle(job, settlement);
  }

  keepAlive(jobs: readonly FetchedJob[]): Promise<readonly string[]> {
    this.renewals.push(jobs.map(({ id }) => id));
    return this.onKeepAlive(jobs);
  }

  close(): Promise<void> {
    this.closings++;
    return this.onClose();
  }
}

/** A backend that keeps what it is given, and answers as the test says. */
export class ScriptedBackend implements JobBackend {
  readonly name = "scripted";
  readonly address = "nowhere:1";
  readonly leaseMs: number = 30_000;
  capabilities: EngineCapabilities = {
    persistence: false,
    schedules: false,
    scheduleKeys: false,
    transactions: false,
    nullCharacters: true,
  };
  readonly inserted: NewJob[] = [];
  readonly sourced: (readonly string[])[] = [];
  closings = 0;
  onInsert: (jobs: readonly NewJob[]) => Promise<readonly boolean[]> = async (jobs) => jobs.map(() => true);
  onSource: () => Promise<JobSource<FetchedJob>> = async () => this.script;
  onCancel: (jobId: string) => Promise<boolean> = async () => true;
  onCounts: () => Promise<ReadonlyMap<string, JobCounts>> = async () => new Map();
  isOutOfReach?: (error: unknown) => boolean;
  schedule?: NonNullable<JobBackend["schedule"]>;
  unschedule?: NonNullable<JobBackend["unschedule"]>;
  readonly script: ScriptedSource;

  constructor(script: ScriptedSource = new ScriptedSource()) {
    this.script = script;
  }

  queueOf(jobName: string): string {
    return `queue of ${jobName}`;
  }

  insert(jobs: readonly NewJob[]): Promise<readonly boolean[]> {
    this.inserted.push(...jobs);
    return this.onInsert(jobs);
  }

  source(jobNames: readonly string[]): Promise<JobSource<FetchedJob>> {
    this.sourced.push(jobNames);
    return this.onSource();
  }

  cancel(jobId: string): Promise<boolean> {
    return this.onCancel(jobId);
  }

  async backlog(): Promise<readonly never[]> {
    return [];
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
