import type { Job } from "bullmq";
import type { Lane } from "./lane.ts";
import type { StoredData } from "./stored-data.ts";

type Arrival = readonly [Lane, Job<StoredData>];

/**
 * Waits for the first job of many lanes. Redis blocks one connection per lane, which cannot be called off: what arrives when
 * nobody waits any more goes back, for whoever is free.
 */
export class LaneWaiting {
  readonly #onFailure: (lane: Lane, error: unknown) => void;
  readonly #onError: (error: unknown) => void;
  readonly #looks = new Map<Lane, Promise<void>>();
  readonly #returns = new Set<Promise<void>>();
  #arrivals: Arrival[] = [];
  #isWaiting = false;

  constructor(onFailure: (lane: Lane, error: unknown) => void, onError: (error: unknown) => void) {
    this.#onFailure = onFailure;
    this.#onError = onError;
  }

  /** Resolves to at most `limit` jobs; to none when a lane has waited for long enough, or soon after the signal was aborted. */
  async wait(lanes: readonly Lane[], limit: number, signal: AbortSignal): Promise<readonly Arrival[]> {
    this.#isWaiting = true;
    let timer: NodeJS.Timeout | undefined;
    let onAbort = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      const resting = lanes.map((lane) => lane.restsForMs).filter((ms) => ms > 0);
      const rested =
        resting.length > 0 && new Promise((resolve) => (timer = setTimeout(resolve, Math.min(...resting))));
      for (const lane of lanes) {
        if (lane.restsForMs === 0 && !this.#looks.has(lane)) this.#looks.set(lane, this.#look(lane));
      }
      await Promise.race([...this.#looks.values(), aborted, ...(rested ? [rested] : [])]);
      return this.#arrivals.splice(0, limit);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#isWaiting = false;
      for (const arrival of this.#arrivals.splice(0)) this.#giveBack(arrival);
    }
  }

  async #look(lane: Lane): Promise<void> {
    try {
      const job = await lane.take(true);
      if (job === undefined) return;
      if (this.#isWaiting) this.#arrivals.push([lane, job]);
      else this.#giveBack([lane, job]);
    } catch (error) {
      this.#onFailure(lane, error);
    } finally {
      this.#looks.delete(lane);
    }
  }

  #giveBack([lane, job]: Arrival): void {
    const back = lane
      .giveBack(job.id as string, job.token as string)
      .catch(this.#onError)
      .finally(() => this.#returns.delete(back));
    this.#returns.add(back);
  }

  /** Resolves once nothing is waited for, and all that came too late has gone back. The lanes are closed by then, or closing. */
  async settled(): Promise<void> {
    await Promise.all(this.#looks.values());
    await Promise.all(this.#returns);
  }
}
