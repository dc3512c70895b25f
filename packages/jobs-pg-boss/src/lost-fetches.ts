/**
 * Names leases, and remembers those of fetches that failed: the answer may have been lost after the store had leased jobs. A later
 * fetch asks for these, until their leases have ended.
 */
export class LostFetches {
  readonly #leaseMs: number;
  readonly #source = crypto.randomUUID();
  readonly #lost = new Map<string, number>();
  #count = 0;
  #restUntilMs = 0;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** Makes a name that no other fetch of any process has. */
  newLease(): string {
    return `${this.#source}:${++this.#count}`;
  }

  /** Remembers a fetch without an answer. */
  add(lease: string): void {
    this.#lost.set(lease, performance.now());
    this.#restUntilMs = 0;
  }

  /** Returns the leases to ask for now. */
  leases(): string[] {
    const now = performance.now();
    if (now < this.#restUntilMs) return [];
    // A statement may be carried out as late as its connection waits for the answer.
    const since = now - 2 * this.#leaseMs;
    for (const [lease, atMs] of this.#lost) if (atMs < since) this.#lost.delete(lease);
    return [...this.#lost.keys()];
  }

  /** Notes how many jobs were found. If there were none, the next question waits: no index of pg-boss's helps with it. */
  found(count: number): void {
    if (count === 0) this.#restUntilMs = performance.now() + this.#leaseMs / 4;
  }
}
