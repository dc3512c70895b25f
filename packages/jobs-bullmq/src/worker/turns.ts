import { type Clock, readyAmong } from "../bullmq-internals/index.ts";
import type { Queues } from "../store/queues.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/** How long a busy worker relies on it that a queue is empty. */
const lookEveryMs = 100;

/**
 * Shares the slots of a worker between its job names: the next job is of the name that has the fewest, and of these, of the one whose last
 * turn is the longest ago. A name that finds no job has no turn.
 */
export class Turns {
  readonly #queues: Queues;
  readonly #consumers: readonly QueueConsumer[];
  readonly #clock: Clock;
  readonly #onFailure: (consumer: QueueConsumer, error: unknown) => void;
  #count = 0;
  #lookedAtMs = 0;

  constructor(
    queues: Queues,
    consumers: Iterable<QueueConsumer>,
    clock: Clock,
    onFailure: (consumer: QueueConsumer, error: unknown) => void,
  ) {
    this.#queues = queues;
    this.#consumers = [...consumers];
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Returns the consumer whose turn it is. Undefined if no name may have a job. */
  next(isEligible: (consumer: QueueConsumer) => boolean = () => true): QueueConsumer | undefined {
    let chosen: QueueConsumer | undefined;
    for (const consumer of this.#consumers) {
      if (!consumer.state.isReady || !isEligible(consumer)) continue;
      if (chosen !== undefined && consumer.share > chosen.share) continue;
      if (chosen === undefined || consumer.share < chosen.share || consumer.state.turn < chosen.state.turn)
        chosen = consumer;
    }
    if (chosen !== undefined) chosen.state.turn = ++this.#count;
    return chosen;
  }

  /** Whether names that had no job may have one by now. Only asked while others have jobs: an idle worker waits for all of them. */
  get isLookDue(): boolean {
    if (this.#consumers.length === 1 || performance.now() - this.#lookedAtMs < lookEveryMs) return false;
    return this.#consumers.some(({ state }) => state.isDrained);
  }

  /** Finds out which of the names that had no job have one now. Never rejects. */
  async look(): Promise<void> {
    this.#lookedAtMs = performance.now();
    const drained = this.#consumers.filter(({ state }) => state.isDrained);
    try {
      const keys = drained.map(({ keyPrefix }) => keyPrefix);
      const ready = await readyAmong(await this.#queues.client, keys, this.#clock.now());
      for (const position of ready) if (drained[position]) drained[position].state.isDrained = false;
    } catch (error) {
      if (drained[0]) this.#onFailure(drained[0], error);
    }
  }
}
