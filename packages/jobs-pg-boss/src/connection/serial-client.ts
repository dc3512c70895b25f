import { withDeadline } from "@nidus/jobs-durable/backend";
import type { Client } from "pg";

/** Runs the queries of a client one after the other, as `pg` asks for. */
export class SerialClient {
  readonly #client: Client;
  readonly #answerWithinMs: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: Client, answerWithinMs: number) {
    this.#client = client;
    this.#answerWithinMs = answerWithinMs;
  }

  /**
   * Runs a query once the queries before it have ended.
   *
   * @throws (rejects with) what the client does; EngineUnavailableError if the server does not answer in time.
   */
  query(text: string, values: readonly unknown[] = []): Promise<unknown> {
    const answer = this.#last.then(() =>
      withDeadline(this.#client.query(text, [...values]), this.#answerWithinMs, "LISTEN"),
    );
    this.#last = answer.catch(() => {});
    return answer;
  }
}
