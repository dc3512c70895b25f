/** How many events wait at most, and for how many milliseconds. */
const capacity = 4_096;
const applyEveryMs = 100;

/** Something that an observer heard of. */
export type EventKind =
  | "started"
  | "success"
  | "failure"
  | "cancelled"
  | "progressed"
  | "retried"
  | "dead-lettered";

/** Applies an event. It must not throw. */
type Apply = (kind: EventKind, context: unknown, extra: unknown) => void;

/**
 * Keeps events for a moment, so that a run pays for three entries in lists and not for the counting. No event is dropped: a full buffer is
 * emptied at once.
 */
export class EventBuffer {
  readonly #apply: Apply;
  readonly #kinds: EventKind[] = [];
  readonly #contexts: unknown[] = [];
  readonly #extras: unknown[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(apply: Apply) {
    this.#apply = apply;
  }

  push(kind: EventKind, context: unknown, extra: unknown): void {
    const at = this.#count++;
    this.#kinds[at] = kind;
    this.#contexts[at] = context;
    this.#extras[at] = extra;
    if (at + 1 === capacity) this.flush();
    else if (this.#timer === undefined) this.#wake();
  }

  #wake(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, applyEveryMs);
    this.#timer.unref?.();
  }

  /** Applies what waits, in order. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    for (let at = 0; at < count; at++) {
      this.#apply(this.#kinds[at] as EventKind, this.#contexts[at], this.#extras[at]);
      // The lists are used again, and must not keep what an error holds.
      this.#contexts[at] = undefined;
      this.#extras[at] = undefined;
    }
  }
}
