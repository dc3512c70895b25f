import { BackendAnswers } from "../backend/answers.ts";
import type { DeadLetter } from "../backend/dead-letter.ts";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob, NewJob } from "../backend/job-backend.ts";
import type { JobCounts } from "../backend/job-counts.ts";
import type { AwaitedJob, JobEnd } from "../backend/job-end.ts";
import type { StoredJob } from "../backend/stored-job.ts";
import type { StoredJobsPage, StoredJobsQuery } from "../backend/stored-jobs-query.ts";
import type { StoredSchedule } from "../backend/stored-schedule.ts";
import { isConnectionError } from "../errors/connection-error.ts";
import { withDeadline } from "../errors/deadline.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import { textOf } from "../errors/error-text.ts";
import { EngineUnavailableError } from "../errors/errors.ts";

/** A backend that is asked for a bounded time, and not at all once it is closed. Its answers are checked. */
export class BoundedBackend<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #backend: JobBackend<Job, Options>;
  readonly #answerWithinMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #where: string;
  readonly answers: BackendAnswers;
  isClosed = false;
  /** Whether the store answered the latest question. */
  isReachable = true;
  /** When the store last answered, in milliseconds of `performance.now()`. */
  answeredAtMs: number = Number.NEGATIVE_INFINITY;

  constructor(backend: JobBackend<Job, Options>, answerWithinMs: number, onError: (error: unknown) => void) {
    this.#backend = backend;
    this.#answerWithinMs = answerWithinMs;
    this.#onError = onError;
    this.#where = `${backend.name} at ${backend.address}`;
    this.answers = new BackendAnswers(backend.name);
  }

  /** No async function, as `ask`: this runs for every enqueue, and a promise costs a third of an async function. */
  insert(jobs: readonly NewJob[], options: Options): Promise<readonly EnqueuedJob[]> {
    return this.ask((backend) => backend.insert(jobs, options)).then((stored) =>
      this.answers.insert(stored, jobs.length),
    );
  }

  async cancel(jobId: string): Promise<boolean> {
    return this.answers.yesOrNo("cancel", await this.ask((backend) => backend.cancel(jobId)));
  }

  async redrive(jobId: string): Promise<boolean> {
    return this.answers.yesOrNo("redrive", await this.ask((backend) => backend.redrive(jobId)));
  }

  async unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    const answer = await this.ask(async (backend) => backend.unschedule?.(jobName, key) ?? false);
    return this.answers.yesOrNo("unschedule", answer);
  }

  async schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return this.answers.schedules(await this.ask(async (backend) => backend.schedules?.(jobName) ?? []));
  }

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    return this.answers.counts(await this.ask((backend) => backend.counts()));
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.answers.deadLetters(await this.ask((backend) => backend.deadLetters(limit)));
  }

  async job(jobId: string, withPayload: boolean): Promise<StoredJob | undefined> {
    return this.answers.job(await this.ask(async (backend) => backend.job?.(jobId, { withPayload })));
  }

  async ends(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    return this.answers.ends(await this.ask(async (backend) => backend.ends?.(jobs) ?? []), jobs.length);
  }

  async holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return this.answers.holderOf(await this.ask(async (backend) => backend.holderOf?.(jobName, uniqueKey)));
  }

  async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    const answer = await this.ask(async (backend) => backend.reschedule?.(jobId, runAt) ?? false);
    return this.answers.yesOrNo("reschedule", answer);
  }

  async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const answer = await this.ask(async (backend) => backend.cancelAll?.(jobName, jobIds) ?? []);
    return this.answers.ids("cancelAll", answer);
  }

  async redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const answer = await this.ask(async (backend) => backend.redriveAll?.(jobName, jobIds) ?? []);
    return this.answers.ids("redriveAll", answer);
  }

  async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    const none: StoredJobsPage = { jobs: [], position: undefined };
    return this.answers.jobs(await this.ask(async (backend) => backend.jobs?.(query) ?? none));
  }

  /** @throws Error once it is closed. */
  requireOpen(): void {
    if (this.isClosed) throw this.closedError();
  }

  /**
   * Asks the backend.
   *
   * @throws (rejects with) what the backend does; EngineUnavailableError for what goes wrong on the way to a server; Error once it
   * is closed, and for a question that the close cuts off.
   */
  ask<T>(
    question: (backend: JobBackend<Job, Options>) => Promise<T>,
    withinMs: number = this.#answerWithinMs,
  ): Promise<T> {
    if (this.isClosed) return Promise.reject(this.closedError());
    return this.#bounded(question, withinMs).then(this.#answered, this.#refused);
  }

  #bounded<T>(question: (backend: JobBackend<Job, Options>) => Promise<T>, withinMs: number): Promise<T> {
    try {
      return withDeadline(question(this.#backend), withinMs, this.#where);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readonly #answered = <T>(answer: T): T => {
    this.isReachable = true;
    this.answeredAtMs = performance.now();
    return answer;
  };

  readonly #refused = (error: unknown): never => {
    const explained = this.#explained(error);
    // The backend has let go of its connection: no server is away.
    if (this.isClosed)
      throw new Error(`${this.closedError().message}: it cut the call off`, { cause: explained });
    throw explained;
  };

  #explained(error: unknown): unknown {
    if (EngineUnavailableError.isInstance(error)) this.isReachable = false;
    if (!isConnectionError(error) && !this.#backend.isUnreachable?.(error)) return error;
    this.isReachable = false;
    return new EngineUnavailableError(`${this.#where} is unreachable (${textOf(error)})`, { cause: error });
  }

  /** Opens something, and closes it if it comes when the caller is no longer waiting. */
  async open<T>(
    open: (backend: JobBackend<Job, Options>) => Promise<T>,
    close: (late: T) => Promise<void>,
    withinMs?: number,
  ): Promise<T> {
    let opening: Promise<T> | undefined;
    try {
      return await this.ask((backend) => {
        opening = open(backend);
        return opening;
      }, withinMs);
    } catch (error) {
      opening?.then(
        (late) => close(late).catch(this.#onError),
        () => {
          // The caller has heard of it.
        },
      );
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await this.#bounded((backend) => backend.close(), this.#answerWithinMs);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  closedError(): Error {
    return new Error(`the ${this.#backend.name} engine is closed`);
  }
}
