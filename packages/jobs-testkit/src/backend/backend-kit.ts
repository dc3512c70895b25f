import type { EnqueuedJob, JobCounts } from "@nidus/jobs-durable";
import { type JobBackend, type NewJob, type Retention, zeroCounts } from "@nidus/jobs-durable/backend";
import { TestedConsumer } from "./tested-consumer.ts";

/** The options with which a contract makes a backend. */
export interface BackendUnderTestOptions {
  /** Pass it to the backend if that takes one: a failed test says what it heard. */
  readonly onError: (error: unknown) => void;
  /** Given if a test needs leases to end soon, in milliseconds. */
  readonly leaseMs?: number | undefined;
}

/** Makes a backend that was not started yet. If it is persistent, each call opens the same store. */
export type CreateBackend = (options: BackendUnderTestOptions) => JobBackend | Promise<JobBackend>;

/** A backend whose server a test takes away. */
export interface BackendWithOutage {
  /** On a server of its own, or behind a proxy of its own. */
  readonly backend: JobBackend;
  /** Takes the server away, for good: stops it, or closes the proxy. */
  begin(): Promise<void> | void;
}

/** The options with which a contract makes a backend that forgets ended jobs soon. */
export interface BackendWithRetentionOptions extends BackendUnderTestOptions, Retention {}

/** The author's means to test a backend: how to make it, its secrets, a transaction, an outage, a short retention. */
export interface BackendFixtures {
  readonly createBackend: CreateBackend;
  readonly leaseMs: number;
  readonly secrets: readonly string[];
  readonly transaction?: ((body: (enqueueOptions: object) => Promise<void>) => Promise<void>) | undefined;
  readonly createOutage?: ((options: BackendUnderTestOptions) => Promise<BackendWithOutage>) | undefined;
  readonly createWithRetention?:
    | ((options: BackendWithRetentionOptions) => JobBackend | Promise<JobBackend>)
    | undefined;
}

/** Gives a test names and jobs of its own, and backends that are closed when it ends. */
export class BackendKit {
  readonly fixtures: BackendFixtures;
  readonly onError: (error: unknown) => void;
  readonly #backends: JobBackend[] = [];
  readonly #consumers: TestedConsumer[] = [];

  constructor(fixtures: BackendFixtures, onError: (error: unknown) => void) {
    this.fixtures = fixtures;
    this.onError = onError;
  }

  /** Makes a job name that no other test has. */
  name(of: string): string {
    return `${of}_${crypto.randomUUID().slice(0, 8)}`;
  }

  /** Makes a job as the engine hands it to a backend. */
  job(name: string, more: Partial<NewJob> = {}): NewJob {
    return {
      id: newId(),
      name,
      envelopeText: JSON.stringify({ payload: { to: "ada" } }),
      runAt: undefined,
      maxAttempts: 5,
      hasIdempotencyKey: false,
      priority: 0,
      uniqueKey: undefined,
      uniqueForMs: undefined,
      retainMs: undefined,
      ...more,
    };
  }

  jobs(name: string, count: number): NewJob[] {
    return Array.from({ length: count }, (_, index) =>
      this.job(name, { envelopeText: JSON.stringify({ payload: index }) }),
    );
  }

  /** Opens and starts a backend. */
  async open(leaseMs?: number): Promise<JobBackend> {
    return this.#started(await this.create(leaseMs));
  }

  /** Opens a backend that keeps ended jobs for so long. Resolves to undefined if the author gave no fixture for that. */
  async openWithRetention(retention: Retention): Promise<JobBackend | undefined> {
    const backend = await this.fixtures.createWithRetention?.({ onError: this.onError, ...retention });
    return backend && this.#started(backend);
  }

  async #started(backend: JobBackend): Promise<JobBackend> {
    this.#backends.push(backend);
    await backend.start?.();
    return backend;
  }

  create(leaseMs?: number): Promise<JobBackend> {
    const { onError } = this;
    const options = leaseMs === undefined ? { onError } : { onError, leaseMs };
    return Promise.resolve(this.fixtures.createBackend(options));
  }

  /** Opens the same store as another process would, or is the same backend if no other process can see its jobs. */
  async another(first: JobBackend, leaseMs?: number): Promise<JobBackend> {
    return first.capabilities.persistence ? this.open(leaseMs) : first;
  }

  async consumer(backend: JobBackend, ...names: readonly string[]): Promise<TestedConsumer> {
    const consumer = new TestedConsumer(await backend.consumer(names));
    this.#consumers.push(consumer);
    return consumer;
  }

  /** Lets go of what the test has closed itself. */
  forget(backend: JobBackend): void {
    this.#backends.splice(this.#backends.indexOf(backend), 1);
  }

  async close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
    await Promise.all(this.#backends.map((backend) => backend.close()));
  }
}

/** What a backend answers to an `insert` if it stores each job. */
export function allStored(jobs: readonly NewJob[]): EnqueuedJob[] {
  return jobs.map(({ id }) => ({ id, isDuplicate: false }));
}

let lastMs = 0;
let lastCount = 0;

/** Makes a UUID of version 7: those that are made later are greater, as those of an engine are. */
function newId(): string {
  lastCount++;
  lastMs = Math.max(lastMs, Date.now());
  const time = lastMs.toString(16).padStart(12, "0");
  const count = (lastCount % 0x1000000).toString(16).padStart(6, "0");
  const random = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count.slice(0, 3)}-8${count.slice(3)}-${random}`;
}

/** Reads the counts of one job name: all zero if the backend has none. */
export async function countsOf(backend: JobBackend, name: string): Promise<JobCounts> {
  return (await backend.counts()).get(name) ?? zeroCounts;
}
