import { setTimeout as pause } from "node:timers/promises";
import { backoffMs, outage } from "../job/backoff.ts";
import type { Slots } from "./slots.ts";
import type { WorkerWatch } from "./worker-watch.ts";

/** The parts of a worker that its poller uses. */
export interface PollerSetUp {
  readonly slots: Slots;
  /** Aborted when the worker fetches no more jobs. */
  readonly stopping: AbortSignal;
  /** Fetches jobs into the free slots. Resolves to the milliseconds that it took, or to 0 if no job came. */
  readonly fetch: () => Promise<number>;
  readonly onError: (error: unknown) => void;
  readonly watch: Pick<WorkerWatch, "asking" | "fetched" | "fetchFailed">;
}

/** The longest that free slots wait for others: short beside what a handler takes that is worth storing. */
const maxGatherMs = 10;

/** A loop that keeps the slots of a worker filled: it decides when to fetch. */
export class Poller {
  /** Resolves when the last fetch has ended. It never rejects. */
  readonly ended: Promise<void>;
  readonly #setUp: PollerSetUp;

  constructor(setUp: PollerSetUp) {
    this.#setUp = setUp;
    setUp.stopping.addEventListener("abort", () => setUp.slots.wake(), { once: true });
    this.ended = this.#fill();
  }

  async #fill(): Promise<void> {
    const { fetch, slots, stopping, onError, watch } = this.#setUp;
    let failures = 0;
    let fetchMs = 0;
    while (!stopping.aborted) {
      if (!slots.hasRoom) {
        await slots.nextRoom();
        watch.asking();
        continue;
      }
      await this.#moreRoom(fetchMs);
      // The concurrency may have been lowered meanwhile.
      if (!slots.hasRoom) continue;
      try {
        watch.asking();
        fetchMs = await fetch();
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
}
