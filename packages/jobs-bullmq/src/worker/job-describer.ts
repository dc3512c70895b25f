import type { Job } from "bullmq";
import { claimStalledReport, type ParsedFields, repairJob } from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import type { StoredData } from "../store/stored-data.ts";
import { type BullmqLeasedJob, describeJob } from "./leased-job.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

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
