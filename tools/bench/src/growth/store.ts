import { type DurableJob, defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner, type OpenedEngineContext } from "@nidus/jobs-observe";

/** The size of a store. */
export interface Size {
  readonly jobs: number;
  readonly names: number;
}

/** A store that is filled with jobs, on a server of its own. */
export interface Store {
  /** Such as "pg-boss 10". */
  readonly title: string;
  /** Opens the engine as a service does. */
  open(runner: ObservedJobRunner): Promise<JobEngine>;
  /** Opens the engine with a pg-boss of its own, with which workers listen for jobs. Absent if `open` does what services do. */
  openAlone?(runner: ObservedJobRunner): Promise<JobEngine>;
  /** Fills the store by its own means. The queues are there. */
  fill(size: Size): Promise<void>;
  /** Removes all jobs that have not ended. */
  empty(): Promise<void>;
  /** Fetches jobs of a name by the store's own call, to compare. Absent if the engine uses that call. */
  fetch?(jobName: string, count: number): Promise<unknown>;
  /** Does the store's own maintenance once, as the engine lets it run. Absent if the engine does it by itself. */
  sweep?(): Promise<unknown>;
  /** The milliseconds of CPU that the server has spent for the engine. NaN where the system does not tell. */
  cpuMs(): Promise<number>;
  /** Counts what a piece of work sends to the server: statements, or commands. */
  requests(work: () => Promise<unknown>): Promise<number>;
  /** Ends the server, and removes its files. */
  stop(): Promise<void>;
}

/** An engine that is open, and what observers read from it. */
export interface OpenStore {
  readonly store: Store;
  readonly size: Size;
  readonly engine: JobEngine;
  readonly readings: OpenedEngineContext;
}

export async function openStore(store: Store, size: Size): Promise<OpenStore> {
  let readings: OpenedEngineContext | undefined;
  const onEngineOpened = (context: OpenedEngineContext): void => {
    readings = context;
  };
  const engine = await store.open(new ObservedJobRunner([{ onEngineOpened }]));
  if (readings === undefined) throw new Error("the engine has not told that it is open");
  return { store, size, engine, readings };
}

/** The name of the job at a place. */
export function nameAt(place: number): string {
  return `job_${String(place).padStart(3, "0")}`;
}

/** A job without work. */
export function jobOf(name: string, run: () => unknown = () => {}): DurableJob<{ to: string }> {
  return defineJob<{ to: string }>({ name, run: async () => void (await run()) });
}

/**
 * The parts of a store, in thousandths, in the order of their enqueues. Of the ended jobs, one in fifteen is a dead letter, and another one
 * was cancelled. One waiting job in twenty has a priority, and another one a unique key.
 */
export const shares = { ended: 745, running: 5, waiting: 200, scheduled: 50 } as const;

/** How many jobs a store has of each part. */
export function partsOf({ jobs }: Size): Readonly<Record<keyof typeof shares, number>> {
  const of = (share: number): number => Math.round((jobs * share) / 1_000);
  const [running, waiting, scheduled] = [of(shares.running), of(shares.waiting), of(shares.scheduled)];
  return { ended: jobs - running - waiting - scheduled, running, waiting, scheduled };
}

/** The unique key of a waiting job. */
export function uniqueKeyAt(place: number): string {
  return `key-${place}`;
}
