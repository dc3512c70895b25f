import type { JobResultStatus, ObservedJobContext } from "@nidus/jobs-observe";

/** A finished run that is kept. */
export interface FinishedRun {
  readonly context: ObservedJobContext;
  readonly status: JobResultStatus;
  readonly span: unknown;
}

/** Keeps the latest runs of a job. Adding one allocates nothing once the ring is full. */
export class RunRing {
  #limit: number;
  #contexts: ObservedJobContext[] = [];
  #statuses: JobResultStatus[] = [];
  #spans: unknown[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(context: ObservedJobContext, status: JobResultStatus, span: unknown): void {
    const at = this.#next;
    this.#contexts[at] = context;
    this.#statuses[at] = status;
    this.#spans[at] = span;
    this.#next = at + 1 === this.#limit ? 0 : at + 1;
  }

  /** The durations of the kept runs in milliseconds, in no particular order. */
  durations(): number[] {
    return this.#contexts.map((context) => context.durationMs ?? 0);
  }

  /** The kept runs, oldest first. */
  runs(): FinishedRun[] {
    const { length } = this.#contexts;
    const first = length < this.#limit ? 0 : this.#next;
    return this.#contexts.map((_, index) => {
      const at = (first + index) % length;
      const context = this.#contexts[at] as ObservedJobContext;
      return { context, status: this.#statuses[at] as JobResultStatus, span: this.#spans[at] };
    });
  }

  /** Keeps at most this many from now on: the latest. */
  resize(limit: number): void {
    const kept = this.runs().slice(-limit);
    this.#limit = limit;
    this.#contexts = kept.map(({ context }) => context);
    this.#statuses = kept.map(({ status }) => status);
    this.#spans = kept.map(({ span }) => span);
    this.#next = kept.length % limit;
  }
}
