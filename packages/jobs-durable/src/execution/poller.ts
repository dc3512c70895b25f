import { setTimeout as pause } from "node:timers/promises";
import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import { backoffMs, outage } from "../job/backoff.ts";
import type { Slot, Slots } from "./slots.ts";
import type { WorkerWatch } from "./worker-watch.ts";

/** The parts of a worker that its poller uses. */
export interface PollerSetUp<Job extends LeasedJob> {
  readonly consumer: JobConsumer<Job>;
  readonly slots: Slots;
  /** Aborted when the worker fetches no more jobs. */
  readonly stopping: AbortSignal;
  /** Takes a job until its end is recorded, and resolves to a further job for the same slot. It may free the slot before. */
  execute(job: Job, slot: Slot): Promise<Job | undefined>;
  readonly onError: (error: unknown) => void;
  readonly watch: Pick<WorkerWatch, "asking" | "fetched" | "fetchFailed">;
}

/** The longest that free slots wait for others: short beside what a handler takes that is worth storing. */
const maxGatherMs = 10;

/** A loop that keeps the slots of a worker filled. */
export class Poller<Job extends LeasedJob> {
  /** Resolves when the last fetch has ended. It never rejects. */
  readonly ended: Promise<void>;
  readonly #setUp: PollerSetUp<Job>;

  constructor(setUp: PollerSetUp<Job>) {
    this.#setUp = setUp;
    setUp.stopping.addEventListener("abort", () => setUp.slots.wake(), { once: true });
    this.ended = this.#fill();
  }

  async #fill(): Promise<void> {
    const { consumer, slots, stopping, onError, watch } = this.#setUp;
    let failures = 0;
    let fetchMs = 0;
    while (!stopping.aborted) {
      if (!slots.hasRoom) {
        await slots.nextRoom();
        watch.asking();
        continue;
      }
      await this.#moreRoom(fetchMs);
      try {
        watch.asking();
        const startMs = performance.now();
        const jobs = await consumer.fetch(slots.free, stopping);
        // A fetch that found no jobs has waited for them.
        fetchMs = jobs.length > 0 ? performance.now() - startMs : 0;
        for (const job of jobs) this.#occupy(job);
        failures = 0;
        watch.fetched();
      } catch (error) {
        if (stopping.aborted) return;
        watch.fetchFailed();
        onError(error);
        // An abort ends the pause early.
        await pause(backoffMs(outage, ++failures), undefined, { signal: stopping }).catch(() => {});
      }
    }
  }

  /**
   * While most slots are taken, a fetch may wait as long as the last one took: handlers that end at different moments would
   * otherwise have a fetch each, and the fetches one slot each.
   */
  async #moreRoom(fetchMs: number): Promise<void> {
    const { slots, stopping } = this.#setUp;
    // Timers tell no less than a millisecond apart.
    let isOver = fetchMs < 1;
    const over =
      isOver ||
      pause(Math.min(fetchMs, maxGatherMs)).then(() => {
        isOver = true;
      });
    while (!isOver && !stopping.aborted && slots.isMoreThanHalfTaken) {
      await Promise.race([slots.nextRoom(), over]);
    }
  }

  async #occupy(first: Job): Promise<void> {
    const { slots, execute, onError } = this.#setUp;
    const slot = slots.take();
    try {
      let job: Job | undefined = first;
      while (job !== undefined) job = await execute(job, slot);
    } catch (error) {
      // The consumer gave a job or an answer that is none.
      onError(error);
    }
    slot.leave();
  }
}
