/**
 * Ends the wait between two polls early, when this process has enqueued a job or a job that it delayed is due. The next regular poll
 * finds the jobs of other processes.
 */
export class PollWakeup {
  readonly #pollIntervalMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #waiting = new Set<() => void>();
  #wakeCount = 0;

  constructor(pollIntervalMs: number) {
    this.#pollIntervalMs = pollIntervalMs;
  }

  /** The number of wake-ups so far. Read it before a poll, and pass it to `wait`, which then misses none. */
  get wakeCount(): number {
    return this.#wakeCount;
  }

  wakeNow(): void {
    this.#wakeCount++;
    for (const wake of this.#waiting) wake();
  }

  /** Wakes in `inMs` milliseconds, unless a regular poll comes before that. */
  wakeIn(inMs: number): void {
    if (inMs <= 0) this.wakeNow();
    else if (inMs < this.#pollIntervalMs) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.wakeNow();
      }, inMs + 1);
      this.#timers.add(timer);
    }
  }

  /** Resolves at the first wake-up after `wakeCount`, when the interval is over, or when the signal is aborted. */
  wait(wakeCount: number, signal: AbortSignal): Promise<void> {
    if (this.#wakeCount !== wakeCount || signal.aborted) return Promise.resolve();
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
