/**
 * Names leases, and remembers the leases of fetches that failed: the store may have leased jobs before the answer was lost. A later
 * fetch asks for them until their leases have ended.
 */
export class LostFetches {
  readonly #leaseMs: number;
  readonly #consumerId = crypto.randomUUID();
  readonly #lostAtMs = new Map<string, number>();
  #leaseCount = 0;
  #nextSearchAtMs = 0;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** Makes a lease name that is unique among all fetches of all processes. */
  newLease(): string {
    return `${this.#consumerId}:${++this.#leaseCount}`;
  }

  /** Remembers the lease of a fetch that failed. */
  add(lease: string): void {
    this.#lostAtMs.set(lease, performance.now());
    this.#nextSearchAtMs = 0;
  }

  /** Returns the leases to ask for now. */
  leasesToFind(): string[] {
    const now = performance.now();
    if (now < this.#nextSearchAtMs) return [];
    // PostgreSQL may run a statement for as long as its connection waits for the answer.
    const oldestMs = now - 2 * this.#leaseMs;
    for (const [lease, atMs] of this.#lostAtMs) if (atMs < oldestMs) this.#lostAtMs.delete(lease);
    return [...this.#lostAtMs.keys()];
  }

  /** Delays the next search if this one found no jobs: pg-boss has no index that helps it. */
  noteFound(jobCount: number): void {
    if (jobCount === 0) this.#nextSearchAtMs = performance.now() + this.#leaseMs / 4;
  }
}
