import type { Job } from "bullmq";
import type { StoredData } from "../store/stored-data.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

type Arrival = readonly [QueueConsumer, Job<StoredData>];

/**
 * Waits for the first job of many consumers. Redis blocks one connection per consumer, and cannot be interrupted: a job that arrives
 * after the wait goes back to its queue.
 */
export class BlockingFetch {
  readonly #onFailure: (consumer: QueueConsumer, error: unknown) => void;
  readonly #onError: (error: unknown) => void;
  readonly #looks = new Map<QueueConsumer, Promise<void>>();
  readonly #returns = new Set<Promise<void>>();
  #arrivals: Arrival[] = [];
  #isWaiting = false;

  constructor(
    onFailure: (consumer: QueueConsumer, error: unknown) => void,
    onError: (error: unknown) => void,
  ) {
    this.#onFailure = onFailure;
    this.#onError = onError;
  }

  /** Waits for up to `limit` jobs. Resolves to an empty array if none arrive within the wait, or soon after `signal` is aborted. */
  async wait(
    consumers: readonly QueueConsumer[],
    limit: number,
    signal: AbortSignal,
  ): Promise<readonly Arrival[]> {
    this.#isWaiting = true;
    let timer: NodeJS.Timeout | undefined;
    let onAbort = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      const resting = consumers.map((consumer) => consumer.backOffLeftMs).filter((ms) => ms > 0);
      const rested =
        resting.length > 0 && new Promise((resolve) => (timer = setTimeout(resolve, Math.min(...resting))));
      for (const consumer of consumers) {
        if (consumer.backOffLeftMs === 0 && !this.#looks.has(consumer))
          this.#looks.set(consumer, this.#look(consumer));
      }
      await Promise.race([...this.#looks.values(), aborted, ...(rested ? [rested] : [])]);
      return this.#arrivals.splice(0, limit);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#isWaiting = false;
      for (const arrival of this.#arrivals.splice(0)) this.#giveBack(arrival);
    }
  }

  async #look(consumer: QueueConsumer): Promise<void> {
    try {
      const job = await consumer.take(true);
      if (job === undefined) return;
      if (this.#isWaiting) this.#arrivals.push([consumer, job]);
      else this.#giveBack([consumer, job]);
    } catch (error) {
      this.#onFailure(consumer, error);
    } finally {
      this.#looks.delete(consumer);
    }
  }

  #giveBack([consumer, job]: Arrival): void {
    const back = consumer
      .giveBack(job.id as string, job.token as string)
      .catch(this.#onError)
      .finally(() => this.#returns.delete(back));
    this.#returns.add(back);
  }

  /** Resolves when no wait is left and all late jobs have gone back. Call it when the consumers are closed or closing. */
  async settled(): Promise<void> {
    await Promise.all(this.#looks.values());
    await Promise.all(this.#returns);
  }
}
