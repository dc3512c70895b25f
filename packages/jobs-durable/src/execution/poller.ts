import { setTimeout as pause } from "node:timers/promises";
import type { JobConsumer, LeasedJob } from "../backend/job-backend.ts";
import { backoffMs, outage } from "../job/backoff.ts";

/** What a poller needs of its worker. */
export interface PollerSetUp<Job extends LeasedJob> {
  readonly consumer: JobConsumer<Job>;
  readonly concurrency: number;
  /** Aborted when nothing more is to be fetched. */
  readonly stopping: AbortSignal;
  /**
   * Takes a job until its end is recorded, and resolves to a further job for the same slot. It may call `freeSlot` before: from
   * then on, another job may take the slot.
   */
  deliver(job: Job, freeSlot: () => void): Promise<Job | undefined>;
  readonly onError: (error: unknown) => void;
}

/** The longest that free slots wait for others: short beside what a handler takes that is worth storing. */
const maxGatherMs = 10;

/** A loop that keeps the slots of a worker filled. */
export class Poller<Job extends LeasedJob> {
  /** Resolves when the last fetch has ended. It never rejects. */
  readonly ended: Promise<void>;
  readonly #setUp: PollerSetUp<Job>;
  #freeSlots: number;
  #deliveries = 0;
  #roomMade: () => void = () => {};

  constructor(setUp: PollerSetUp<Job>) {
    this.#setUp = setUp;
    this.#freeSlots = setUp.concurrency;
    setUp.stopping.addEventListener("abort", () => this.#roomMade(), { once: true });
    this.ended = this.#fill();
  }

  async #fill(): Promise<void> {
    const { consumer, stopping, onError } = this.#setUp;
    let failures = 0;
    let fetchMs = 0;
    while (!stopping.aborted) {
      if (!this.#hasRoom) {
        await this.#nextRoom();
        continue;
      }
      await this.#moreRoom(fetchMs);
      try {
        const startMs = performance.now();
        const jobs = await consumer.fetch(this.#freeSlots, stopping);
        // Without any, it has waited for them.
        fetchMs = jobs.length > 0 ? performance.now() - startMs : 0;
        for (const job of jobs) this.#occupySlot(job);
        failures = 0;
      } catch (error) {
        if (stopping.aborted) return;
        onError(error);
        // An abort ends it early, which is what it is for.
        await pause(backoffMs(outage, ++failures), undefined, { signal: stopping }).catch(() => {});
      }
    }
  }

  #nextRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#roomMade = resolve;
    });
  }

  /**
   * While most slots are taken, a fetch may wait as long as the last one took: handlers that end at different moments would
   * otherwise have a fetch each, and the fetches one slot each.
   */
  async #moreRoom(fetchMs: number): Promise<void> {
    // Timers tell no less than a millisecond apart.
    let isOver = fetchMs < 1;
    const over =
      isOver ||
      pause(Math.min(fetchMs, maxGatherMs)).then(() => {
        isOver = true;
      });
    while (!isOver && !this.#setUp.stopping.aborted && this.#freeSlots < this.#setUp.concurrency / 2) {
      await Promise.race([this.#nextRoom(), over]);
    }
  }

  /** One round of handlers may run while the one before is recorded: an engine that is slow, or away, gets no more to record. */
  get #hasRoom(): boolean {
    const settling = this.#deliveries - (this.#setUp.concurrency - this.#freeSlots);
    return this.#freeSlots > 0 && settling <= this.#setUp.concurrency;
  }

  async #occupySlot(first: Job): Promise<void> {
    const { deliver, onError } = this.#setUp;
    this.#freeSlots--;
    this.#deliveries++;
    let isTaken = true;
    const freeSlot = (): void => {
      if (isTaken) this.#freeSlots++;
      isTaken = false;
      this.#roomMade();
    };
    try {
      let job: Job | undefined = first;
      while (job !== undefined) job = await deliver(job, freeSlot);
    } catch (error) {
      // The consumer gave out what is no job, or no answer.
      onError(error);
    }
    this.#deliveries--;
    freeSlot();
  }
}
