import type { JobError } from "@nidus/jobs-core";

/** One delivery of a stored job by an engine: an attempt to run it. */
export interface JobDelivery {
  /** The engine's name, such as "bullmq". */
  readonly engine: string;
  /** The engine's queue from which it came. */
  readonly queue: string;
  /** The job's id, the same in every attempt. */
  readonly jobId: string;
  /** From 1. */
  readonly attempt: number;
  /** How many attempts there are at most, the first included. */
  readonly maxAttempts: number;
  /** When it was stored. */
  readonly enqueuedAt: Date;
  /** The moment from which this attempt could start: it was enqueued for then, or retried for then. */
  readonly runAt: Date;
  /** What the enqueuing side gave to find related work by. */
  readonly correlationId: string | undefined;
  /** Headers, trace headers among them, that the enqueuing side's observers wrote. */
  readonly carrier: Readonly<Record<string, string>>;
}

/** A job that is known before its first run. */
export interface DeclaredJobContext {
  /** The job's name. */
  readonly jobName: string;
  /** The name of the engine that will deliver it, such as "bullmq"; absent if the application declared it. */
  readonly engine?: string | undefined;
  /** The engine's queue it will come from. */
  readonly queue?: string | undefined;
}

/** Jobs that an engine is about to store. */
export interface EnqueuedJobContext {
  /** The name that all of them have. */
  readonly jobName: string;
  /** The engine's name, such as "bullmq". */
  readonly engine: string;
  /** The engine's queue to which they go. */
  readonly queue: string;
  /** How many jobs of this name are stored at once: 1, or the length of a batch. */
  readonly count: number;
  /** What the caller gave to find related work by. */
  readonly correlationId: string | undefined;
  /** Headers that travel with the jobs. Observers may add theirs, such as `traceparent`. */
  readonly carrier: Record<string, string>;
}

/** What became of a delivery, as the engine has recorded it. */
export interface SettledJobContext {
  /** The job's name. */
  readonly jobName: string;
  /** The delivery that has ended. */
  readonly delivery: JobDelivery;
  /**
   * `retried`: it will be delivered again. `dead-lettered`: it failed for the last time, or its last attempt has no
   * recorded end. `lost`: its run finished, and the engine refused to record that, since the lease had passed on; told by the
   * worker that ran it. `stalled`: its worker died or lost its lease before it could record an
   * outcome; told when the next attempt is delivered, so `delivery.attempt` is that of the attempt before.
   */
  readonly outcome: "succeeded" | "retried" | "dead-lettered" | "cancelled" | "lost" | "stalled";
  /** What it failed with, or undefined where it did not fail. */
  readonly error: JobError | undefined;
}

/** How many jobs of one name are ready to run and wait for a worker. */
export interface JobBacklog {
  /** The name that they have in common. */
  readonly jobName: string;
  /** How many there are. */
  readonly waiting: number;
  /** Since when the oldest of them could have run, or undefined if none waits. */
  readonly oldestWaitingAt: Date | undefined;
}
