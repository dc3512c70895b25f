import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import { isConnectionError } from "../errors/connection-error.ts";
import { withDeadline } from "../errors/deadline.ts";
import { textOf } from "../errors/error-text.ts";
import { EngineUnavailableError } from "../errors/errors.ts";

/** A backend that is asked for a bounded time, and not at all once it is closed. */
export class BoundedBackend<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly #backend: JobBackend<Job, Options>;
  readonly #answerWithinMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #where: string;
  isClosed = false;

  constructor(backend: JobBackend<Job, Options>, answerWithinMs: number, onError: (error: unknown) => void) {
    this.#backend = backend;
    this.#answerWithinMs = answerWithinMs;
    this.#onError = onError;
    this.#where = `${backend.name} at ${backend.address}`;
  }

  /**
   * Asks the backend.
   *
   * @throws (rejects with) what the backend does; EngineUnavailableError for what goes wrong on the way to a server; Error once it
   * is closed.
   */
  async ask<T>(
    question: (backend: JobBackend<Job, Options>) => Promise<T>,
    withinMs: number = this.#answerWithinMs,
  ): Promise<T> {
    if (this.isClosed) throw this.closedError();
    try {
      return await withDeadline(question(this.#backend), withinMs, this.#where);
    } catch (error) {
      if (!isConnectionError(error) && !this.#backend.isOutOfReach?.(error)) throw error;
      throw new EngineUnavailableError(`${this.#where} is unreachable (${textOf(error)})`, {
        cause: error,
      });
    }
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
    const closed = this.ask((backend) => backend.close());
    this.isClosed = true;
    await closed;
  }

  closedError(): Error {
    return new Error(`the ${this.#backend.name} engine is closed`);
  }
}
