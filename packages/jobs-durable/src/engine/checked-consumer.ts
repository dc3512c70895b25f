import { isDate } from "node:util/types";
import {
  aBoolean,
  aDate,
  aFunction,
  aNumber,
  anObject,
  aString,
  type Fields,
  isObject,
  orUndefined,
} from "../backend/answer-fields.ts";
import type { BackendAnswers } from "../backend/answers.ts";
import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import type { JobOutcome, SettleResult } from "../backend/job-outcome.ts";
import type { StoredJobProgress } from "../backend/stored-job.ts";
import type { Bookkeeping } from "./bookkeeping.ts";

const consumerFields: Fields = [
  ...["fetch", "settle", "renewLeases", "cancelRequests", "close"].map((name) => [name, aFunction] as const),
  ["settleAndFetch", orUndefined(aFunction)],
  ["saveProgress", orUndefined(aFunction)],
];
/** Without these, a job cannot run. */
const neededFields: Fields = [
  ["id", aString],
  ["name", aString],
  ["envelope", anObject],
];
/** If these are wrong, the engine has a value of its own for them. */
const descriptiveFields: Fields = [
  ["attempt", aNumber],
  ["maxAttempts", aNumber],
  ["enqueuedAt", aDate],
  ["runAt", aDate],
  ["isCancelRequested", aBoolean],
  ["followsStalled", aBoolean],
  ["previousCarrier", orUndefined(anObject)],
];
const settleFields: Fields = [
  ["isRecorded", aBoolean],
  ["isCancelled", orUndefined(aBoolean)],
  ["next", orUndefined(anObject)],
];

type Answer<Job extends LeasedJob> = SettleResult & { readonly next?: Job | undefined };

/**
 * A consumer of a backend as workers see it: its every call is book-keeping, and its every answer is checked. A wrong answer rejects with a
 * WrongAnswerError that names the method, the field and what was expected.
 */
export class CheckedConsumer<Job extends LeasedJob> implements JobConsumer<Job> {
  readonly settleAndFetch?: (job: Job, outcome: JobOutcome) => Promise<Answer<Job>>;
  readonly saveProgress?: (job: Job, progress: StoredJobProgress) => Promise<void>;
  readonly #consumer: JobConsumer<Job>;
  readonly #bookkeeping: Bookkeeping;
  readonly #answers: BackendAnswers;
  readonly #onError: (error: unknown) => void;

  /** @throws WrongAnswerError if the consumer is none. */
  constructor(
    consumer: JobConsumer<Job>,
    bookkeeping: Bookkeeping,
    answers: BackendAnswers,
    onError: (error: unknown) => void,
  ) {
    answers.object("consumer", consumer, "a JobConsumer", "a consumer", consumerFields);
    this.#consumer = consumer;
    this.#bookkeeping = bookkeeping;
    this.#answers = answers;
    this.#onError = onError;
    if (consumer.saveProgress !== undefined) {
      const saveProgress = consumer.saveProgress.bind(consumer);
      this.saveProgress = (job, progress) =>
        bookkeeping.run("save-progress", async () => saveProgress(job, progress));
    }
    if (consumer.settleAndFetch === undefined) return;
    const settleAndFetch = consumer.settleAndFetch.bind(consumer);
    // No async function, since this runs for every job.
    this.settleAndFetch = (job, outcome) =>
      Promise.resolve(bookkeeping.run("settle", () => settleAndFetch(job, outcome))).then((answer) =>
        this.#settlement("settleAndFetch", answer),
      );
  }

  /** Tells of jobs without an id, a name or an envelope, and leaves them out. Tells of other wrong fields. */
  async fetch(limit: number, signal: AbortSignal): Promise<readonly Job[]> {
    const fetch = (): Promise<readonly Job[]> => this.#consumer.fetch(limit, signal);
    const jobs = this.#answers.array("fetch", await this.#bookkeeping.run("fetch", fetch), "jobs");
    return jobs.filter((job) => this.#isJob("fetch", job));
  }

  settle(job: Job, outcome: JobOutcome): Promise<SettleResult> {
    const settled = this.#bookkeeping.run("settle", () => this.#consumer.settle(job, outcome));
    return Promise.resolve(settled).then((answer) => this.#settlement("settle", answer));
  }

  #settlement(method: "settle" | "settleAndFetch", answer: Answer<Job>): Answer<Job> {
    if (isWholeSettlement(answer) && (answer.next === undefined || isWholeJob(answer.next))) return answer;
    this.#answers.object(method, answer, "an object such as { isRecorded: true }", "an object", settleFields);
    return answer.next === undefined || this.#isJob(method, answer.next)
      ? answer
      : { ...answer, next: undefined };
  }

  #isJob(method: string, job: LeasedJob): boolean {
    if (isWholeJob(job)) return true;
    try {
      this.#answers.object(method, job, "jobs", "a job", neededFields);
    } catch (error) {
      this.#onError(error);
      return false;
    }
    try {
      this.#answers.object(method, job, "jobs", "a job", descriptiveFields);
    } catch (error) {
      this.#onError(error);
    }
    return true;
  }

  async renewLeases(jobs: readonly Job[]): Promise<readonly string[]> {
    const renew = (): ReturnType<JobConsumer<Job>["renewLeases"]> => this.#consumer.renewLeases(jobs);
    const lost = await this.#bookkeeping.run("renew-leases", renew);
    // Nothing is right as well: some engines cannot tell.
    return lost === undefined ? [] : this.#answers.ids("renewLeases", lost);
  }

  async cancelRequests(jobs: readonly Job[]): Promise<readonly string[]> {
    const ask = (): Promise<readonly string[]> => this.#consumer.cancelRequests(jobs);
    return this.#answers.ids("cancelRequests", await this.#bookkeeping.run("cancel-requests", ask));
  }

  close(): Promise<void> {
    return this.#bookkeeping.run("close", async () => this.#consumer.close());
  }
}

/** Whether a job meets `neededFields` and `descriptiveFields`. A loop over these takes four times as long, for every job that is delivered. */
function isWholeJob(job: LeasedJob): boolean {
  return (
    isObject(job) &&
    typeof job.id === "string" &&
    typeof job.name === "string" &&
    isObject(job.envelope) &&
    typeof job.attempt === "number" &&
    typeof job.maxAttempts === "number" &&
    isDate(job.enqueuedAt) &&
    isDate(job.runAt) &&
    typeof job.isCancelRequested === "boolean" &&
    typeof job.followsStalled === "boolean" &&
    (job.previousCarrier === undefined || isObject(job.previousCarrier))
  );
}

/** Whether an answer meets `settleFields`, for the same reason. */
function isWholeSettlement(answer: Answer<LeasedJob>): boolean {
  return (
    isObject(answer) &&
    typeof answer.isRecorded === "boolean" &&
    (answer.isCancelled === undefined || typeof answer.isCancelled === "boolean") &&
    (answer.next === undefined || isObject(answer.next))
  );
}
