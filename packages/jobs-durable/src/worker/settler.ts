import { setTimeout as pause } from "node:timers/promises";
import type { ObservedJobRunner, SettledJobContext } from "@nidus/jobs-observe";
import type { FetchedJob, JobSource, Settled } from "../backend/job-backend.ts";
import { backoffMs, outage } from "../backoff.ts";
import type { Delivery } from "./delivery.ts";
import { cancelled, type Ending, handedBack } from "./ending.ts";
import type { WorkerReport } from "./job-worker.ts";
import type { KnownDeliveries } from "./known-deliveries.ts";
import type { LeaseRenewal } from "./lease-renewal.ts";

/** What a settler needs of its worker. */
export interface SettlerSetUp<Job extends FetchedJob> {
  readonly source: JobSource<Job>;
  readonly runner: ObservedJobRunner;
  readonly known: KnownDeliveries<Job>;
  readonly leases: LeaseRenewal<Job>;
  readonly counts: { -readonly [Count in keyof WorkerReport]: number };
  /** Aborted when the worker begins to stop: no further jobs are wanted then. */
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Has the engine record how deliveries ended, and tells the observers what came of it. */
export class Settler<Job extends FetchedJob> {
  readonly #setUp: SettlerSetUp<Job>;
  #isOver = false;

  constructor(setUp: SettlerSetUp<Job>) {
    this.#setUp = setUp;
  }

  /** Ends what is still being repeated. */
  stop(): void {
    this.#isOver = true;
  }

  /**
   * Records the end of a delivery, and resolves to a further job that came with the answer. It is repeated for as long as the
   * server is away: the job has run, and must not run again for want of a record. A refusal is final.
   */
  async settle(delivery: Delivery<Job>): Promise<Job | undefined> {
    const { source, leases, stopping, onError } = this.#setUp;
    // A failure is not to be tried again, nor kept, where another process has cancelled the job since the last look.
    if (delivery.hasFailed) await leases.renew();
    for (let failures = 1; ; failures++) {
      if (delivery.supersededBy !== undefined) this.#tellSuperseded(delivery, delivery.supersededBy);
      if (delivery.isOver || this.#isOver) return undefined;
      const ending = delivery.ending as Ending;
      delivery.isSettling = true;
      let settled: Settled<Job>;
      try {
        const wantsNext = source.bringsNext && !stopping.aborted;
        settled = await source.settle(delivery.job, ending.settlement, wantsNext);
      } catch (thrown) {
        onError(thrown);
        await pause(backoffMs(outage, failures));
        continue;
      }
      this.#tellSettled(delivery, ending, settled);
      return settled.next;
    }
  }

  /** Gives up a delivery that the worker cannot wait for: hands the job back, unless its handler has ended. */
  async abandon(delivery: Delivery<Job>): Promise<void> {
    const { source, counts } = this.#setUp;
    delivery.isAbandoned = true;
    // What has run already, and could not be recorded so far, is not to run again.
    const ending = delivery.ending ?? handedBack;
    if (delivery.ending === undefined) counts.abandoned++;
    this.#tellSettled(delivery, ending, await source.settle(delivery.job, ending.settlement, false));
  }

  /** Tells of the attempt before, if its worker died or lost its lease. */
  tellStalled({ job, description }: Delivery<Job>): void {
    const { attempt } = description;
    if (!job.followsStalled || attempt === 1) return;
    const before = Object.freeze({ ...description, attempt: attempt - 1 });
    this.#setUp.runner.settled({
      jobName: job.name,
      delivery: before,
      outcome: "stalled",
      error: undefined,
    });
  }

  /** Counts what the engine has recorded or refused, and tells the observers. */
  #tellSettled(delivery: Delivery<Job>, ending: Ending, { isRecorded, isCancelled }: Settled<Job>): void {
    if (!isRecorded) {
      this.#tellLost(delivery, ending);
      return;
    }
    delivery.isRecorded = true;
    // Of two deliveries that end with one handler, the store should record one: if it says so of both, the first has told of it.
    const { adopted, supersededBy } = delivery;
    if (adopted?.isRecorded || (supersededBy?.adopted === delivery && supersededBy.isRecorded)) return;
    const { outcome, error } = isCancelled ? cancelled(ending.error) : ending;
    if (outcome === undefined) return;
    this.#setUp.counts[outcome === "dead-lettered" ? "deadLettered" : outcome]++;
    this.#tell(delivery, outcome, error);
  }

  #tellLost(delivery: Delivery<Job>, { outcome, error }: Ending): void {
    if (!delivery.hasRun || outcome === undefined) return;
    if (outcome === "succeeded") this.#setUp.known.keepInMind(delivery);
    this.#tell(delivery, "lost", error);
  }

  /**
   * The job came again before it was known what had become of a settlement. A retry had been recorded, and only the answer was
   * lost, unless the store says that the attempt stalled. All other endings are those of the delivery that came.
   */
  #tellSuperseded(delivery: Delivery<Job>, { adopted, job }: Delivery<Job>): void {
    const ending = delivery.ending as Ending;
    if (adopted === delivery || ending.outcome !== "retried") return;
    this.#tellSettled(delivery, ending, { isRecorded: !job.followsStalled });
  }

  #tell(
    { job, description }: Delivery<Job>,
    outcome: SettledJobContext["outcome"],
    error: Ending["error"],
  ): void {
    this.#setUp.runner.settled({ jobName: job.name, delivery: description, outcome, error });
  }
}
