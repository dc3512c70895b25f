import { type Clock, isRefusedScript, type Marker, type MarkerWatch } from "../bullmq-internals/index.ts";
import type { QueueConsumer } from "./queue-consumer.ts";

/** How long one wait may take. The watch itself gives up before. */
const maxWaitMs = 8_000;

/**
 * Waits until one of many queues may have a job: on one connection, whatever the number of queues. A marker that arrives when no fetch waits
 * any more goes back, for another worker to take.
 */
export class MarkerWait {
  readonly #watch: MarkerWatch;
  readonly #consumers: ReadonlyMap<string, QueueConsumer>;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #returns = new Set<Promise<void>>();
  #watching: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isWaiting = false;
  #signal: AbortSignal | undefined;
  /** Ends the present wait for an event. */
  #onEvent: () => void = () => {};
  /** Of the last wait for an event. The next wait clears it, since a job that comes would have to wait for that. */
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    watch: MarkerWatch,
    consumers: Iterable<QueueConsumer>,
    clock: Clock,
    onError: (error: unknown) => void,
  ) {
    this.#watch = watch;
    this.#consumers = new Map([...consumers].map((consumer) => [consumer.keyPrefix, consumer]));
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Resolves once a consumer may find a job, after some seconds, or soon after the signal is aborted. */
  async untilReady(signal: AbortSignal): Promise<void> {
    this.#isWaiting = true;
    const endMs = performance.now() + maxWaitMs;
    this.#listenTo(signal);
    try {
      while (!signal.aborted && !this.#wake() && performance.now() < endMs) {
        this.#start();
        await this.#nextEvent();
        const { error } = this.#failure ?? {};
        if (this.#failure !== undefined) throw error;
      }
    } finally {
      this.#failure = undefined;
      this.#isWaiting = false;
    }
  }

  /** Listens once to each signal, which a worker has for all its fetches: removing a listener delayed each job by 20 microseconds. */
  #listenTo(signal: AbortSignal): void {
    if (signal === this.#signal) return;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#onEvent(), { once: true });
  }

  /** Makes the consumers ready whose next job is due. Returns whether any is ready. */
  #wake(): boolean {
    const now = this.#clock.now();
    let isAnyReady = false;
    for (const { state } of this.#consumers.values()) {
      if (state.dueMs !== undefined && state.dueMs <= now) state.isDrained = false;
      isAnyReady ||= state.isReady;
    }
    return isAnyReady;
  }

  /** Resolves when the watch has ended, a job is due, a rest is over, or the wait was aborted. */
  #nextEvent(): Promise<void> {
    const now = this.#clock.now();
    let waitMs = maxWaitMs;
    for (const { state } of this.#consumers.values()) {
      const { dueMs, isDrained, backOffLeftMs } = state;
      if (dueMs !== undefined) waitMs = Math.min(waitMs, dueMs - now);
      if (!isDrained && backOffLeftMs > 0) waitMs = Math.min(waitMs, backOffLeftMs);
    }
    clearTimeout(this.#timer);
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, Math.max(1, waitMs));
      this.#onEvent = resolve;
    });
  }

  #start(): void {
    if (this.#watching !== undefined) return;
    const watched = [...this.#consumers.values()].filter(({ state }) => state.backOffLeftMs === 0);
    if (watched.length === 0) return;
    this.#watching = this.#takeMarker(watched.map(({ keyPrefix }) => keyPrefix));
  }

  /** Never rejects. */
  async #takeMarker(queueKeys: readonly string[]): Promise<void> {
    try {
      const marker = await this.#watch.take(queueKeys);
      if (marker !== undefined) this.#note(marker);
      else if (this.#isWaiting) {
        // Markers may be lost, with the worker that took them: BullMQ looks for jobs as often.
        for (const { state } of this.#consumers.values()) state.isDrained = false;
      }
    } catch (error) {
      await this.#restUnusable(queueKeys, error).catch((failure) => {
        if (this.#isWaiting) this.#failure = { error: failure };
        else if (!this.#isClosed) this.#onError(failure);
      });
    }
    this.#watching = undefined;
    this.#onEvent();
  }

  /** Leaves the queues alone for whose markers Redis does not wait. Rejects with an error that says nothing about a queue. */
  async #restUnusable(queueKeys: readonly string[], error: unknown): Promise<void> {
    if (!isRefusedScript(error)) throw error;
    this.#onError(error);
    for (const keys of await this.#watch.unusable(queueKeys)) this.#consumers.get(keys)?.state.rest();
  }

  #note(marker: Marker): void {
    const state = this.#consumers.get(marker.keys)?.state;
    if (state === undefined) return;
    state.marker = marker;
    if (marker.dueMs <= this.#clock.now()) state.isDrained = false;
    else state.dueMs = Math.min(state.dueMs ?? marker.dueMs, marker.dueMs);
    if (!this.#isWaiting) this.restore();
  }

  /** Puts the markers back for which no look was made. Other workers may have to hear of these jobs. */
  restore(): void {
    for (const { state } of this.#consumers.values()) {
      const { marker } = state;
      if (marker === undefined) continue;
      state.marker = undefined;
      const back = this.#watch
        .restore(marker)
        .catch(this.#onError)
        .finally(() => this.#returns.delete(back));
      this.#returns.add(back);
    }
  }

  /** Ends the wait. Resolves when all markers have gone back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#watch.close();
    await this.#watching;
    this.restore();
    await Promise.all(this.#returns);
  }
}
