import { type Clock, type RedisClient, Script } from "../bullmq-internals/index.ts";

const time = new Script("nidusTime", 0, "return redis.call('TIME')");

/** The least difference between the clocks that `onError` hears of. */
const tellFromMs = 1_000;

const tellEveryMs = 600_000;

/** The time of Redis. BullMQ stores and compares moments by the clock of each worker, so workers agree if all use this time. */
export class RedisClock implements Clock {
  readonly #onError: (error: unknown) => void;
  #offsetMs = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Milliseconds by which the clock of Redis is ahead of the clock of this process. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** Asks Redis for its time. Ignores a difference within the error of the measurement. */
  async measure(client: RedisClient): Promise<void> {
    const [startMs, startTick] = [Date.now(), performance.now()];
    const [seconds, microseconds] = (await time.run(client, [])) as [string, string];
    const roundTripMs = performance.now() - startTick;
    // A slow answer says too little about the clock.
    if (roundTripMs > tellFromMs) return;
    const offsetMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - startMs - roundTripMs / 2;
    this.#offsetMs = Math.abs(offsetMs) > roundTripMs / 2 + 10 ? Math.round(offsetMs) : 0;
    this.#tell();
  }

  #tell(): void {
    const now = performance.now();
    if (Math.abs(this.#offsetMs) < tellFromMs || now - this.#toldAtMs < tellEveryMs) return;
    this.#toldAtMs = now;
    const seconds = Math.abs(this.#offsetMs / 1000).toFixed(1);
    const direction = this.#offsetMs > 0 ? "behind" : "ahead of";
    this.#onError(
      new Error(
        `the clock of this process is ${seconds} s ${direction} the clock of Redis: synchronize them`,
      ),
    );
  }
}
