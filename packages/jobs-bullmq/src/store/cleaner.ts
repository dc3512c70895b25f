import { cleanJobs, forgetCancellations } from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";
import type { RetentionSeconds } from "./stored-data.ts";

/** How often a process cleans, in milliseconds. */
const cleanEveryMs = 5_000;

/** How often a process looks through the notes of cancelled jobs at most, in milliseconds. */
const forgetEveryMs = 60_000;

/** Cleans the queues of an engine every few seconds, from its start until it is stopped. */
export class Cleaner {
  readonly #queues: Queues;
  readonly #retention: RetentionSeconds;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #isCleaning = false;
  #isStopped = false;
  #forgottenAtMs = Number.NEGATIVE_INFINITY;

  constructor(queues: Queues, retention: RetentionSeconds, onError: (error: unknown) => void) {
    this.#queues = queues;
    this.#retention = retention;
    this.#onError = onError;
  }

  /** Begins to clean. The cleaning belongs to whatever this call belongs to: its timer keeps the asynchronous context. */
  start(): void {
    if (this.#isStopped) return;
    this.#timer ??= setInterval(() => this.#clean(), cleanEveryMs).unref();
  }

  /** Cleans once. Never rejects. While the server is unreachable, one attempt waits for it. */
  async #clean(): Promise<void> {
    if (this.#isCleaning) return;
    this.#isCleaning = true;
    try {
      // Redis may have lost the names.
      await this.#queues.note();
      let result = await this.#cleanSome(cleanEveryMs * 0.8);
      if (result !== "cleaned by another process") await this.#forgetCancelled();
      while (result === "more" && !this.#isStopped) result = await this.#cleanSome(0);
    } catch (error) {
      if (!this.#isStopped) this.#onError(error);
    } finally {
      this.#isCleaning = false;
    }
  }

  async #cleanSome(enoughForMs: number): ReturnType<typeof cleanJobs> {
    const { base, namesKey } = this.#queues;
    return cleanJobs(await this.#queues.client, {
      namesKey,
      base,
      retainSucceededMs: this.#retention.succeededSeconds * 1000,
      retainDeadLettersMs: this.#retention.deadLettersSeconds * 1000,
      enoughForMs,
    });
  }

  async #forgetCancelled(): Promise<void> {
    const retainedMs = this.#retention.succeededSeconds * 1000;
    const now = performance.now();
    if (now < this.#forgottenAtMs + Math.min(retainedMs, forgetEveryMs)) return;
    this.#forgottenAtMs = now;
    const client = await this.#queues.client;
    const names = await this.#queues.names();
    const forgetting = names.map((name) =>
      forgetCancellations(client, this.#queues.cancellationsOf(name), () => this.#isStopped),
    );
    await Promise.all(forgetting);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }
}
