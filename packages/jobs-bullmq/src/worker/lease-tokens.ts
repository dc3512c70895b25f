/** Remembers the leases of a consumer that this process knows of. Each look for a job has its own token. */
export class LeaseTokens {
  /** The beginning of all tokens of this consumer. */
  readonly prefix: string = `${crypto.randomUUID()}:`;
  readonly #open = new Set<string>();
  readonly #kept = new Map<string, string>();
  /** Of ten digits, so that all tokens are as long. */
  #count = 1_000_000_000;

  /** How many leases this process knows of. */
  get held(): number {
    return this.#kept.size;
  }

  /** Returns a token for a look for a job, and keeps it open until `close`. */
  open(): string {
    const token = `${this.prefix}${++this.#count}`;
    this.#open.add(token);
    return token;
  }

  /** Opens a token again: a settlement may bring a next job, whose lease has the same token. */
  reopen(token: string): void {
    this.#open.add(token);
  }

  close(token: string): void {
    this.#open.delete(token);
  }

  keep(id: string, token: string): void {
    this.#kept.set(id, token);
  }

  drop(id: string, token: string): void {
    if (this.#kept.get(id) === token) this.#kept.delete(id);
  }

  /** Tells whether the answer that brought a lease was lost. Undefined while the answer may still come. */
  isLost(id: string, token: string): boolean | undefined {
    if (this.#kept.get(id) === token) return false;
    return this.#open.has(token) ? undefined : true;
  }
}
