import type { JobResultStatus, ObservedJobData } from "@nidus/jobs-observe";
import { keptRun } from "./kept-run.ts";

/** A finished run that is kept. */
export interface FinishedRun {
  readonly context: ObservedJobData;
  readonly status: JobResultStatus;
  readonly traceId: string | undefined;
}

/** Keeps the latest runs of a job. Adding one allocates nothing once the ring is full. */
export class RunRing {
  #limit: number;
  #contexts: ObservedJobData[] = [];
  #statuses: JobResultStatus[] = [];
  #traceIds: (string | undefined)[] = [];
  #next = 0;
  /** How many were added since the last call of `settle`. */
  #fresh = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(context: ObservedJobData, status: JobResultStatus, traceId: string | undefined): void {
    const at = this.#next;
    this.#contexts[at] = context;
    this.#statuses[at] = status;
    this.#traceIds[at] = traceId;
    this.#next = at + 1 === this.#limit ? 0 : at + 1;
    this.#fresh++;
  }

  /** Cuts the runs that were added to what is kept of them. Those that others have replaced meanwhile cost nothing. */
  settle(): void {
    for (let age = Math.min(this.#fresh, this.#contexts.length); age > 0; age--) {
      const at = (this.#next - age + this.#limit) % this.#limit;
      this.#contexts[at] = keptRun(this.#contexts[at] as ObservedJobData);
    }
    this.#fresh = 0;
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
      const context = this.#contexts[at] as ObservedJobData;
      return { context, status: this.#statuses[at] as JobResultStatus, traceId: this.#traceIds[at] };
    });
  }

  /** Keeps at most this many from now on: the latest. */
  resize(limit: number): void {
    const kept = this.runs().slice(-limit);
    this.#limit = limit;
    this.#contexts = kept.map(({ context }) => context);
    this.#statuses = kept.map(({ status }) => status);
    this.#traceIds = kept.map(({ traceId }) => traceId);
    this.#next = kept.length % limit;
  }
}
