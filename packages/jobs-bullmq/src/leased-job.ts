import { envelopeFrom, type LeasedJob } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import type { Lease } from "./leases.ts";
import type { QueueConsumer } from "./queue-consumer.ts";
import { countOf, type StoredData, timesOf } from "./stored-data.ts";
import type { StoredFacts } from "./stored-fields.ts";

/** A job that BullMQ has given out. */
export interface BullmqLeasedJob extends LeasedJob {
  readonly consumer: QueueConsumer;
  readonly stored: Job<StoredData>;
  readonly lease: Lease;
  /** Whether its cancellation was requested, as far as this process knows. */
  isRequested: boolean;
  /** Whether it was settled as released, or is about to be. */
  isReleased: boolean;
  /** Digits that tell what its settlement has written. */
  mark: string | undefined;
}

/** What was asked about a job before it is described. */
export interface Findings {
  readonly isCancelRequested: boolean;
  readonly followsStalled: boolean;
}

const nothingFound: Findings = { isCancelRequested: false, followsStalled: false };

/** Makes a delivery of what BullMQ has given out, whoever has stored it. */
export function describeJob(
  consumer: QueueConsumer,
  stored: Job<StoredData>,
  { data, unreadable, runAtMs }: StoredFacts,
  findings: Findings = nothingFound,
): BullmqLeasedJob {
  const id = stored.id as string;
  if (data !== undefined) stored.data = data.value as StoredData;
  // Of another program: BullMQ compares them, and adds to them.
  stored.attemptsMade = countOf(stored.attemptsMade);
  stored.stalledCounter = countOf(stored.stalledCounter);
  // BullMQ has 0 where nothing was said, and means 1.
  const maxAttempts = countOf(stored.opts.attempts) || 1;
  stored.opts.attempts = maxAttempts;
  const { token = "", attemptsStarted: started, attemptsMade: made, stalledCounter: stalled } = stored;
  return {
    consumer,
    stored,
    lease: { id, token, started, made, stalled },
    isRequested: findings.isCancelRequested,
    isReleased: false,
    mark: undefined,
    id,
    name: consumer.jobName,
    envelope: envelopeFrom(stored.data),
    attempt: made + stalled + 1,
    maxAttempts,
    ...timesOf(stored, runAtMs === undefined ? undefined : consumer.localTime(runAtMs)),
    unreadable: unreadable ?? (stored.name ? undefined : "it has no name"),
    ...findings,
  };
}
