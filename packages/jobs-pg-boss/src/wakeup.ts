/**
 * When a poll need not wait for its interval: this process has enqueued something, or something that it put off is due.
 * What other processes enqueue is found by the next poll.
 */
export class Wakeup {
  readonly #pollIntervalMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #waiting = new Set<() => void>();
  #changes = 0;

  constructor(pollIntervalMs: number) {
    this.#pollIntervalMs = pollIntervalMs;
  }

  /** How many changes there have been: to be read before looking, so that none is missed between the look and the wait. */
  get changes(): number {
    return this.#changes;
  }

  now(): void {
    this.#changes++;
    for (const wake of this.#waiting) wake();
  }

  /** Wakes when a job is due that was put off. The next poll finds what is due later. */
  in(inMs: number): void {
    if (inMs <= 0) this.now();
    else if (inMs < this.#pollIntervalMs) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.now();
      }, inMs + 1);
      this.#timers.add(timer);
    }
  }

  /** Resolves with the first change after `since`, when it is time to poll again, or when the signal is aborted. */
  wait(since: number, signal: AbortSignal): Promise<void> {
    if (this.#changes !== since || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, this.#pollIntervalMs);
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
