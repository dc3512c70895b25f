import { errorMessageOf } from "../error-message.ts";

/** The shortest time between two readings, in milliseconds. */
const readEveryMs = 1_000;

/** A reading takes at most this share of the time: a slow store is asked less often. */
const share = 10;

/** How long a viewer waits for a reading before it sees the one before, in milliseconds. */
const waitMs = 400;
const firstWaitMs = 3_000;

/** After how long a reading counts as failed. A client of a store that is away may wait for it without end. */
const silentMs = 5_000;

/** The latest answer of a store, and what went wrong since. */
export interface SharedAnswer<T> {
  /** When the value was read, in Unix milliseconds, or null before the first answer. */
  readonly readAt: number | null;
  /** Why the latest reading failed, or null. */
  readonly error: string | null;
  readonly value: T | undefined;
  readonly latencyMs: number | null;
}

/** Reads from a store once for all viewers. */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #answer: SharedAnswer<T> = { value: undefined, readAt: null, error: null, latencyMs: null };
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = 0;
  #reading: Promise<void> | undefined;
  #generation = 0;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  /** Resolves to the latest answer. Never rejects, and waits a bounded time for a reading that is due. */
  async get(): Promise<SharedAnswer<T>> {
    if (this.#reading === undefined && performance.now() >= this.#dueAtMs) this.#reading = this.#ask();
    if (this.#reading !== undefined)
      await within(this.#reading, this.#answer.readAt === null ? firstWaitMs : waitMs);
    const isSilent = this.#reading !== undefined && performance.now() - this.#askedAtMs >= silentMs;
    return isSilent ? { ...this.#answer, error: "no answer for more than 5 s" } : this.#answer;
  }

  /** Makes the next reading due now, after an action has changed the store. */
  expire(): void {
    this.#dueAtMs = Number.NEGATIVE_INFINITY;
    // A reading that has begun may have missed the change.
    this.#generation++;
    this.#reading = undefined;
  }

  async #ask(): Promise<void> {
    const startedMs = performance.now();
    this.#askedAtMs = startedMs;
    const generation = this.#generation;
    let answer: SharedAnswer<T>;
    try {
      const value = await Promise.resolve().then(this.#read);
      answer = { value, readAt: Date.now(), error: null, latencyMs: performance.now() - startedMs };
    } catch (error) {
      answer = { ...this.#answer, error: errorMessageOf(error) };
    }
    if (generation !== this.#generation) return;
    this.#answer = answer;
    this.#dueAtMs = startedMs + Math.max(readEveryMs, (performance.now() - startedMs) * share);
    this.#reading = undefined;
  }
}

/** Waits for a promise that never rejects, for a bounded time. */
async function within(promise: Promise<void>, forMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    promise,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, forMs);
    }),
  ]);
  clearTimeout(timer);
}
