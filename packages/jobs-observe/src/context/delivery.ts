import type { JobError } from "@nidus/jobs-core";
import type { JobObjectives } from "./objectives.ts";

/** Describes one attempt of an engine to run a stored job. */
export interface JobDelivery {
  /** The engine's name, such as "bullmq". */
  readonly engine: string;
  /** The engine's queue that the job came from. */
  readonly queue: string;
  /** The job's id, the same in every attempt. */
  readonly jobId: string;
  /** The number of the attempt, from 1 to `maxAttempts`. */
  readonly attempt: number;
  /** How many attempts the job gets at most, including the first. */
  readonly maxAttempts: number;
  /** When the job was stored. */
  readonly enqueuedAt: Date;
  /** The earliest moment at which this attempt could start: the enqueue or the retry was set for it. */
  readonly runAt: Date;
  /** The text that the enqueuing caller gave to find related work, or undefined. */
  readonly correlationId: string | undefined;
  /** The size of the payload's JSON text, in bytes. Undefined if the job has no payload, or if the size is unknown. */
  readonly payloadBytes?: number | undefined;
  /** Headers that observers wrote at the enqueue, such as trace headers. */
  readonly carrier: Readonly<Record<string, string>>;
  /**
   * The headers that observers wrote to `nextCarrier` of the run before: the attempt before, or the run that snoozed. Undefined at
   * the first run, or if the attempt before has no recorded end.
   */
  readonly previousCarrier?: Readonly<Record<string, string>> | undefined;
  /**
   * Headers for the next run of the job, such as the trace headers of this one. Observers may write to it until `onJobFinished` has
   * returned: if the job is retried or snoozed, the engine stores them together with the outcome. `onJobSettled` is too late for
   * that, since the store has recorded the outcome by then. Undefined if the engine stores none.
   */
  readonly nextCarrier?: Record<string, string> | undefined;
}

/** The options in the definition of a stored job. An undefined one is not known, or sets no limit. */
export interface DeclaredJobOptions {
  /** How many attempts a job gets. */
  readonly maxAttempts?: number | undefined;
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** From 0, which runs first, to 9. */
  readonly priority?: number | undefined;
  /** The milliseconds before the next attempt: always the same, or doubled from `baseMs` to `maxMs`. Undefined if a function says. */
  readonly backoff?:
    | {
        readonly fixedMs?: number | undefined;
        readonly baseMs?: number | undefined;
        readonly maxMs?: number | undefined;
      }
    | undefined;
}

/** Describes a job that is known before its first run. */
export interface DeclaredJobContext {
  /** The job's name. */
  readonly jobName: string;
  /** What the owner of the job promises, checked and frozen. Undefined if the declaration says nothing about it. */
  readonly objectives?: JobObjectives | undefined;
  /** The name of the engine that will deliver the job, such as "bullmq". Undefined if the application declared the job. */
  readonly engine?: string | undefined;
  /** The engine's queue that the job will come from. */
  readonly queue?: string | undefined;
  /** How the engine will run the job. */
  readonly options?: DeclaredJobOptions | undefined;
}

/** Describes jobs of one name that an engine is about to store. */
export interface EnqueuedJobContext {
  /** The name that all of the jobs have. */
  readonly jobName: string;
  /** The engine's name, such as "bullmq". */
  readonly engine: string;
  /** The engine's queue that the jobs go to. */
  readonly queue: string;
  /** How many jobs of this name are stored at once: 1, or the length of a batch. */
  readonly count: number;
  /** The ids that the jobs will have, in the order of the batch. Undefined if the queue makes the ids itself. */
  readonly jobIds?: readonly string[] | undefined;
  /** The text that the caller gave to find related work, or undefined. */
  readonly correlationId: string | undefined;
  /** The size of the payload's JSON text, in bytes. Undefined for several jobs, without a payload, or if the size is unknown. */
  readonly payloadBytes?: number | undefined;
  /** Headers that are stored with the jobs. Observers may add headers, such as `traceparent`. */
  readonly carrier: Record<string, string>;
}

/**
 * Describes the outcome of a delivery, as the engine has recorded it. It has no headers to write: headers for the next run are
 * stored together with the outcome, so write them to `delivery.nextCarrier` before `onJobFinished` returns.
 */
export interface SettledJobContext {
  /** The job's name. */
  readonly jobName: string;
  /** The delivery that has ended. */
  readonly delivery: JobDelivery;
  /**
   * The outcome of the delivery.
   * - `retried`: the engine will deliver the job again.
   * - `dead-lettered`: the job failed for the last time, or its last attempt has no recorded end.
   * - `lost`: the run finished, but the engine refused to record that, since the lease was lost. The worker
   *   that ran the job reports it.
   * - `snoozed`: the handler asked to run again later. No attempt is spent, and nothing failed.
   * - `stalled`: the worker died or lost its lease before it could record an outcome. The next delivery reports it, so
   *   `delivery.attempt` is the number of the attempt before.
   */
  readonly outcome: "succeeded" | "retried" | "snoozed" | "dead-lettered" | "cancelled" | "lost" | "stalled";
  /** The error that the job failed with, or undefined if it did not fail. */
  readonly error: JobError | undefined;
}

/** Says how far a run has come. */
export interface JobProgress {
  /** The share of the work that is done, from 0 to 1. */
  readonly fraction: number;
  /** What the run does now, in the words of the job. Observers cut it. */
  readonly note: string | undefined;
}
