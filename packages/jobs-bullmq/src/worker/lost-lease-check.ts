import { setTimeout as pause } from "node:timers/promises";
import { leasesWithToken, type RedisClient, repairJob } from "../bullmq-internals/index.ts";
import type { RedisClock } from "../connection/redis-clock.ts";
import type { Queues } from "../store/queues.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/** How long a check may hold up the closing: a server that is away answers nothing. */
const closeWithinMs = 1_000;

/** Puts back leases that this process holds without knowing it, and measures the clock of Redis, several times within a lease. */
export class LostLeaseCheck {
  readonly #queues: Queues;
  readonly #consumers: ReadonlyMap<string, QueueConsumer>;
  readonly #clock: RedisClock;
  readonly #everyMs: number;
  readonly #onError: (error: unknown) => void;
  #checkedAtMs = performance.now();
  #checking: Promise<void> | undefined;
  #isDue = false;
  #isClosed = false;

  constructor(
    queues: Queues,
    consumers: ReadonlyMap<string, QueueConsumer>,
    clock: RedisClock,
    leaseMs: number,
    onError: (error: unknown) => void,
  ) {
    this.#queues = queues;
    this.#consumers = consumers;
    this.#clock = clock;
    this.#everyMs = leaseMs / 3;
    this.#onError = onError;
  }

  /** Checks if the last check was long ago. */
  runIfDue(): void {
    if (performance.now() - this.#checkedAtMs >= this.#everyMs) this.run();
  }

  /** Checks now. While a check runs, any number of calls make one more check after it. Never rejects. */
  run(): Promise<void> {
    this.#isDue = true;
    this.#checking ??= this.#check();
    return this.#checking;
  }

  async #check(): Promise<void> {
    while (this.#isDue && !this.#isClosed) {
      this.#isDue = false;
      this.#checkedAtMs = performance.now();
      try {
        const client = await this.#queues.client;
        await this.#clock.measure(client);
        const consumers = [...this.#consumers.values()];
        await Promise.all(consumers.map((consumer) => returnLostLeases(client, consumer)));
      } catch (error) {
        if (!this.#isClosed) this.#onError(error);
      }
    }
    this.#checking = undefined;
  }

  /** Ends the checks. One that is running puts back what it finds: otherwise these jobs would wait for their leases to run out. */
  async close(): Promise<void> {
    await Promise.race([this.#checking, pause(closeWithinMs, undefined, { ref: false })]);
    this.#isClosed = true;
  }
}

/**
 * Puts back jobs whose leasing answer never arrived: a connection that breaks loses the answer, and ioredis sends the command again.
 * Puts the newest back first, so that the oldest is fetched first.
 */
async function returnLostLeases(client: RedisClient, consumer: QueueConsumer): Promise<void> {
  const { tokens, keyPrefix } = consumer;
  for (const { id, token } of await leasesWithToken(client, keyPrefix, tokens.prefix)) {
    // Waits for an answer that may still come.
    while (tokens.isLost(id, token) === undefined && consumer.closing === undefined) await pause(20);
    if (tokens.isLost(id, token) && (await repairJob(client, keyPrefix, id, token))) {
      await consumer.giveBack(id, token);
    }
  }
}
