import type { JobAttemptError } from "@nidus/jobs-durable";
import { envelopeFrom, type LeasedJob } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import { countOf, type Lease, type ParsedFields } from "../bullmq-internals/index.ts";
import { carrierOf } from "../store/stored-carrier.ts";
import { ownRetentionSeconds, type StoredData, timesOf } from "../store/stored-data.ts";
import { errorsFrom } from "../store/stored-errors.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/** A job that BullMQ has leased to this process. */
export interface BullmqLeasedJob extends LeasedJob {
  readonly consumer: QueueConsumer;
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

/** Describes a job that BullMQ has leased, whichever program has stored it. */
export function describeJob(
  consumer: QueueConsumer,
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
    runAtMs === undefined ? undefined : consumer.localTime(runAtMs),
  );
  // Each field by itself: spreading costs several times as much, for every job.
  return {
    consumer,
    stored,
    lease: { id, token, started, made, stalled },
    ownRetentionSeconds: ownRetentionSeconds(stored),
    isRequested: facts.isCancelRequested,
    isGoingBack: false,
    errors: errorsFrom(errorsText),
    mark: undefined,
    id,
    name: consumer.jobName,
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
