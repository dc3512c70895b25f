import type { JobAttemptError } from "@nidus/jobs-durable";
import { attemptErrorsFrom, envelopeFrom, type LeasedJob } from "@nidus/jobs-durable/backend";
import type { Job } from "bullmq";
import {
  claimStalledReport,
  countOf,
  type Lease,
  type ParsedFields,
  repairJob,
} from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import { carrierOf, ownRetentionSeconds, type StoredData, timesOf } from "../store/stored-data.ts";
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

/** For how long a job in the wrong queue is postponed, and so how often `onError` hears of it. */
const postponeMs = 60_000;

/** Turns BullMQ's jobs into leased jobs. Asks Redis only about the jobs of which there is more to know. */
export class JobDescriber {
  readonly #queues: Queues;
  readonly #onError: (error: unknown) => void;

  constructor(queues: Queues, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#onError = onError;
  }

  /** Describes a job, without a promise if Redis need not be asked. Postpones a job that is in the wrong queue: undefined then. */
  describe(
    consumer: QueueConsumer,
    stored: Job<StoredData>,
  ): BullmqLeasedJob | Promise<BullmqLeasedJob | undefined> {
    if (stored.name && stored.name !== consumer.jobName) return this.#postpone(consumer, stored);
    const fields = consumer.interceptor.takeParsedFields(stored.id as string);
    const hasQuestions = mayHaveRequest(stored) || stored.stalledCounter > 0 || fields.hasBadCounts;
    return hasQuestions ? this.#inquire(consumer, stored, fields) : describeJob(consumer, stored, fields);
  }

  /** Postpones a job that another program has put into the queue: no worker here knows it, and it must not come again at once. */
  async #postpone(consumer: QueueConsumer, stored: Job<StoredData>): Promise<undefined> {
    const { jobName, interceptor, tokens } = consumer;
    const [id, token] = [stored.id as string, stored.token as string];
    interceptor.takeParsedFields(id);
    tokens.drop(id, token);
    this.#onError(
      new Error(`a job named "${stored.name}" is in the queue of "${jobName}": postponed for a minute`),
    );
    await stored.moveToDelayed(Date.now() + postponeMs, token).catch(this.#onError);
  }

  async #inquire(
    consumer: QueueConsumer,
    stored: Job<StoredData>,
    fields: ParsedFields,
  ): Promise<BullmqLeasedJob> {
    const { keyPrefix, jobName } = consumer;
    const [id, token] = [stored.id as string, stored.token as string];
    try {
      const client = await this.#queues.client;
      if (fields.hasBadCounts) await repairJob(client, keyPrefix, id, token);
      const isAsked = mayHaveRequest(stored);
      const [[request], followsStalled] = await Promise.all([
        isAsked ? client.hmget(this.#queues.cancelRequestsOf(jobName), id) : [null],
        stored.stalledCounter > 0 && claimStalledReport(client, keyPrefix, stored),
      ]);
      return describeJob(consumer, stored, fields, {
        isCancelRequested: request != null,
        followsStalled,
      });
    } catch (error) {
      // The job is leased already and must run. A cancel request is found again while it runs.
      this.#onError(error);
      return describeJob(consumer, stored, fields);
    }
  }
}

/** Tells whether a job may have a cancel request: BullMQ has started it before, or ties it to something else. */
function mayHaveRequest({ attemptsStarted, repeatJobKey, parentKey, deduplicationId }: Job): boolean {
  return attemptsStarted > 1 || (repeatJobKey ?? parentKey ?? deduplicationId) !== undefined;
}

/** Facts about a delivery that are not among the fields of its job. */
interface DeliveryFacts {
  readonly isCancelRequested: boolean;
  readonly followsStalled: boolean;
}

const ordinary: DeliveryFacts = { isCancelRequested: false, followsStalled: false };

/** Describes a job that BullMQ has leased, whichever program has stored it. */
function describeJob(
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
    errors: attemptErrorsFrom(errorsText),
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
