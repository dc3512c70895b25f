import type { EngineHealth } from "@nidus/jobs-observe";
import type { EnqueueOptions } from "../backend/enqueue-options.ts";
import type { JobBackend, LeasedJob } from "../backend/job-backend.ts";
import type { WatchedStore } from "../execution/worker-watch.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { BoundedBackend } from "./bounded-backend.ts";

/** How long a health check waits for the store, in milliseconds: probes of orchestrators often wait for a second. */
const pingWithinMs = 800;

/** After so many milliseconds without an answer, a ping is given up and another one asked. */
const newPingAfterMs = 10_000;

/** The parts of an engine that its health checks use. */
export interface StoreHealthSetUp<Job extends LeasedJob, Options extends EnqueueOptions> {
  readonly store: BoundedBackend<Job, Options>;
  readonly answerWithinMs: number;
  readonly bookkeeping: () => Bookkeeping;
}

/** Whether the store of an engine answers. One ping at a time: a client may keep those that it cannot send. */
export class StoreHealth<Job extends LeasedJob, Options extends EnqueueOptions> implements WatchedStore {
  readonly #setUp: StoreHealthSetUp<Job, Options>;
  #pinging: { readonly answer: Promise<void>; readonly askedAtMs: number } | undefined;

  constructor(setUp: StoreHealthSetUp<Job, Options>) {
    this.#setUp = setUp;
  }

  get isReachable(): boolean {
    return this.#setUp.store.isReachable;
  }

  get answeredAtMs(): number {
    return this.#setUp.store.answeredAtMs;
  }

  /** @throws (rejects with) EngineUnavailableError within a second if there is no answer; what the store rejects with. */
  ping(): Promise<void> {
    const { store, answerWithinMs } = this.#setUp;
    return store.ask((backend) => this.#ask(backend), Math.min(answerWithinMs, pingWithinMs));
  }

  /** Says whether the store answers, and how long that took. Never rejects. */
  async measure(): Promise<Pick<EngineHealth, "isReachable" | "latencyMs">> {
    const startMs = performance.now();
    const isReachable = await this.ping().then(
      () => true,
      () => false,
    );
    return { isReachable, latencyMs: isReachable ? performance.now() - startMs : undefined };
  }

  #ask(backend: JobBackend<Job, Options>): Promise<void> {
    const now = performance.now();
    if (this.#pinging !== undefined && now - this.#pinging.askedAtMs < newPingAfterMs) {
      return this.#pinging.answer;
    }
    const answer = this.#setUp
      .bookkeeping()
      .run("ping", () => backend.ping())
      .finally(() => {
        if (this.#pinging?.answer === answer) this.#pinging = undefined;
      });
    this.#pinging = { answer, askedAtMs: now };
    return answer;
  }
}
