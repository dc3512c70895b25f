import type { JobAttemptError } from "@nidus/jobs-durable";
import { attemptErrorsFrom, carrierFrom, envelopeFrom, type LeasedJob } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import {
  countOf,
  type Lease,
  type ManualWorker,
  type ParsedFields,
  scheduledAtOf,
  timeOf,
} from "../bullmq-internals/index.ts";
import type { StoredData } from "../store/stored-data.ts";

/** A job that BullMQ has leased to this process. */
export interface BullmqLeasedJob extends LeasedJob {
  /** The worker that has leased it. */
  readonly worker: ManualWorker<StoredData>;
  readonly stored: Job<StoredData>;
  readonly lease: Lease;
  /** The seconds for which the job is kept after it has succeeded. Undefined if its options say anything else. */
  readonly ownRetentionSeconds: number | undefined;
  /** Whether this process knows of a cancel request. */
  isRequested: boolean;
  /** Whether its outcome puts it back as it was: "released" or "snoozed". */
  isGoingBack: boolean;
  /** The errors of its attempts, the newest first. */
  readonly errors: readonly JobAttemptError[];
  /** Digits that its settlement writes, so that it can be told from the settlement of another attempt. */
  mark: string | undefined;
}

/** Facts about a delivery that are not among the fields of its job. */
export interface DeliveryFacts {
  readonly isCancelRequested: boolean;
  readonly followsStalled: boolean;
}

const ordinary: DeliveryFacts = { isCancelRequested: false, followsStalled: false };

/** Makes a leased job of a job that BullMQ has leased, whichever program has stored it. `name` is that of its queue. */
export function leasedJobFrom(
  worker: ManualWorker<StoredData>,
  name: string,
  stored: Job<StoredData>,
  { data, unreadable, runAtMs, carrier, errorsText }: ParsedFields,
  facts: DeliveryFacts = ordinary,
): BullmqLeasedJob {
  const id = stored.id as string;
  if (data !== undefined) stored.data = data.value as StoredData;
  // Another program may have stored anything. BullMQ compares the counts, and adds to them.
  stored.attemptsMade = countOf(stored.attemptsMade);
  stored.stalledCounter = countOf(stored.stalledCounter);
  // BullMQ has 0 if the job says nothing, and means 1.
  const maxAttempts = countOf(stored.opts.attempts) || 1;
  stored.opts.attempts = maxAttempts;
  const { token = "", attemptsStarted: started, attemptsMade: made, stalledCounter: stalled } = stored;
  const attempt = made + stalled + 1;
  const { enqueuedAt, runAt } = timesOf(
    stored,
    runAtMs === undefined ? undefined : worker.localTime(runAtMs),
  );
  // Each field by itself: spreading costs several times as much, for every job.
  return {
    worker,
    stored,
    lease: { id, token, started, made, stalled },
    ownRetentionSeconds: ownRetentionSeconds(stored),
    isRequested: facts.isCancelRequested,
    isGoingBack: false,
    errors: attemptErrorsFrom(errorsText),
    mark: undefined,
    id,
    name,
    envelope: envelopeFrom(stored.data),
    attempt,
    maxAttempts,
    enqueuedAt,
    runAt,
    previousCarrier: carrierOf(carrier, attempt),
    unreadable: unreadable ?? (stored.name ? undefined : "it has no name"),
    isCancelRequested: facts.isCancelRequested,
    followsStalled: facts.followsStalled,
  };
}

/** Returns the seconds for which a job asks to be kept after it has succeeded. Undefined for other requests, which are BullMQ's to meet. */
function ownRetentionSeconds({ opts }: Job<StoredData>): number | undefined {
  const keep: unknown = opts.removeOnComplete;
  if (typeof keep !== "object" || keep === null) return undefined;
  const { age } = keep as { readonly age?: unknown };
  return typeof age === "number" && Number.isFinite(age) && Object.keys(keep).length === 1 ? age : undefined;
}

/** A moment in 2001, in Unix milliseconds. No job is older. */
const firstMoment = 1e12;

/** Returns when a job was enqueued, and when it could run: at its own time, at its schedule's, or at its enqueue. Replaces invalid times by now. */
function timesOf(
  job: Job<StoredData>,
  runAtMs: number | undefined,
): { readonly enqueuedAt: Date; readonly runAt: Date } {
  const { data, timestamp, processedOn } = job;
  // BullMQ parses any text that begins with a digit as a number.
  const enqueuedAtMs = timeOf(timestamp > firstMoment ? timestamp : undefined, processedOn);
  return {
    enqueuedAt: new Date(enqueuedAtMs),
    runAt: new Date(timeOf(runAtMs, data?.runAtMs, scheduledAtOf(job), enqueuedAtMs)),
  };
}

/**
 * Makes the text of the headers that a retry or a snooze stores in the job's hash, with the attempt that they are for. BullMQ
 * keeps the field until the next of these writes it, also if the attempt stalls.
 */
export function carrierText(
  carrier: Readonly<Record<string, string>> | undefined,
  attempt: number,
): string | undefined {
  return carrier && `${attempt} ${JSON.stringify(carrier)}`;
}

/** Reads the headers that are for an attempt. Returns undefined if there are none. */
function carrierOf(text: string | undefined, attempt: number): Record<string, string> | undefined {
  const prefix = `${attempt} `;
  return text?.startsWith(prefix) ? carrierFrom(text.slice(prefix.length)) : undefined;
}
