import { SharedRead } from "./shared-read.ts";

/** How many readings are remembered. */
const maxReads = 50;

/** The readings that viewers asked for most recently, by what they read. */
export class RecentReads<T> {
  readonly #reads = new Map<string, SharedRead<T>>();

  /** Returns the reading of a key, which `read` makes if it is not remembered. */
  of(key: string, read: () => Promise<T>): SharedRead<T> {
    const shared = this.#reads.get(key) ?? new SharedRead(read);
    // The least recently used comes first, and is forgotten first.
    this.#reads.delete(key);
    this.#reads.set(key, shared);
    if (this.#reads.size > maxReads) this.#reads.delete(this.#reads.keys().next().value as string);
    return shared;
  }

  all(): Iterable<SharedRead<T>> {
    return this.#reads.values();
  }
}
