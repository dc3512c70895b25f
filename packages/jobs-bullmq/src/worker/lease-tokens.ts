/** Which leases of a consumer somebody here knows of. Each look for a job has a token of its own. */
export class LeaseTokens {
  /** What all tokens of this consumer begin with. */
  readonly prefix: string = `${crypto.randomUUID()}:`;
  readonly #open = new Set<string>();
  readonly #kept = new Map<string, string>();
  #count = 0;

  /** A token for a look whose answer is to come. */
  open(): string {
    const token = `${this.prefix}${++this.#count}`;
    this.#open.add(token);
    return token;
  }

  /** A settlement may bring a next job, whose lease has the token of the last one. */
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

  /** Whether the answer that brought this lease was lost; undefined while it may still come. */
  isLost(id: string, token: string): boolean | undefined {
    if (this.#kept.get(id) === token) return false;
    return this.#open.has(token) ? undefined : true;
  }
}
