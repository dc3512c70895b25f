import type {
  DeclaredJobOptions,
  JobObjectives,
  JobResultStatus,
  ObservedJobContext,
  ObservedJobData,
} from "@nidus/jobs-observe";
import { monotonicMsOf } from "@nidus/jobs-observe/adapter";
import { RunRing } from "./run-ring.ts";

/** The width of a slot of counts in milliseconds, and how many slots are kept: an hour. */
const slotMs = 10_000;
const slots = 360;

/** Everything that is kept of one job name. Its size is bounded, apart from the runs that are running. */
export class JobActivity {
  readonly name: string;
  readonly #finished: Uint32Array = new Uint32Array(slots);
  readonly #failed: Uint32Array = new Uint32Array(slots);
  #slot = 0;
  readonly ring: RunRing;
  lastStatus: JobResultStatus | undefined;
  started = 0;
  retries = 0;
  deadLettered = 0;
  /** Moments of `performance.now()`. */
  lastSuccessMs: number = Number.NaN;
  lastStartMs: number = Number.NaN;
  /** The latest delivery failed, and no run has succeeded since. */
  isRetrying = false;
  /** The start of the latest error's message. */
  lastError: string | undefined;
  objectives: JobObjectives | undefined;
  options: DeclaredJobOptions | undefined;

  constructor(name: string, keptRuns: number) {
    this.name = name;
    this.ring = new RunRing(keptRuns);
  }

  start(context: ObservedJobContext): void {
    this.started++;
    this.lastStartMs = monotonicMsOf(context);
  }

  /** @param endMs a moment of `performance.now()` */
  finish(endMs: number, run: ObservedJobData, status: JobResultStatus, traceId: string | undefined): void {
    const index = this.#moveTo(endMs);
    (this.#finished[index] as number)++;
    if (status === "failure") (this.#failed[index] as number)++;
    if (status === "success") {
      this.lastSuccessMs = endMs;
      this.isRetrying = false;
    }
    this.lastStatus = status;
    this.ring.add(run, status, traceId);
  }

  settle(outcome: "retried" | "dead-lettered"): void {
    if (outcome === "retried") this.retries++;
    else this.deadLettered++;
    this.isRetrying = true;
  }

  /** Clears the slots between the latest run and this moment. Returns the index of its slot. */
  #moveTo(clockMs: number): number {
    const slot = Math.max(this.#slot, Math.floor(clockMs / slotMs));
    for (let next = Math.max(this.#slot + 1, slot - slots + 1); next <= slot; next++) {
      this.#finished[next % slots] = 0;
      this.#failed[next % slots] = 0;
    }
    this.#slot = slot;
    return slot % slots;
  }

  /** The runs that finished in each of the last 60 minutes, the current one last, and how many of them failed. */
  minutes(): { readonly finished: readonly number[]; readonly failed: readonly number[] } {
    this.#moveTo(performance.now());
    return { finished: this.#perMinute(this.#finished), failed: this.#perMinute(this.#failed) };
  }

  /** How many runs finished in the last minute. */
  perMinute(): number {
    this.#moveTo(performance.now());
    let count = 0;
    for (let age = 0; age <= 6; age++) {
      const inSlot = this.#finished[(((this.#slot - age) % slots) + slots) % slots] as number;
      // The oldest of seven slots is only in part within the minute.
      count += age < 6 ? inSlot : inSlot * (1 - (performance.now() % slotMs) / slotMs);
    }
    return Math.round(count);
  }

  #perMinute(counts: Uint32Array): number[] {
    const minutes = new Array<number>(60).fill(0);
    for (let age = 0; age < slots; age++) {
      const count = counts[(((this.#slot - age) % slots) + slots) % slots] as number;
      if (count > 0) (minutes[59 - Math.floor(age / 6)] as number) += count;
    }
    return minutes;
  }
}
