import type { FetchedJob } from "../backend/job-backend.ts";
import type { Delivery } from "./delivery.ts";

/** Successful runs that came too late to be recorded and are kept in mind, for all workers of an engine. */
const maxUnrecorded = 1_000;

/**
 * The deliveries of all workers of an engine, by job id, until their ends are recorded. A job that comes again meanwhile has lost
 * its lease, and is not to run a second time beside the first, nor after the first has succeeded.
 */
export class KnownDeliveries<Job extends FetchedJob> {
  readonly #byId = new Map<string, Delivery<Job>>();

  /** Takes a delivery in. Returns the earlier one of the same job, if this one is to end as that does. */
  add(delivery: Delivery<Job>): Delivery<Job> | undefined {
    const { jobId: id, enqueuedAt } = delivery.description;
    const known = this.#byId.get(id);
    this.#byId.set(id, delivery);
    // An id comes round again with its idempotency key, once the job before is no longer retained.
    if (known === undefined || known.description.enqueuedAt.getTime() !== enqueuedAt.getTime())
      return undefined;
    known.supersededBy = delivery;
    return isAdoptable(known, delivery) ? known : undefined;
  }

  /** Forgets a delivery, unless it is to be kept in mind. */
  remove(delivery: Delivery<Job>): void {
    const { id } = delivery.job;
    if (this.#byId.get(id) === delivery && !delivery.isUnrecorded) this.#byId.delete(id);
  }

  /** Keeps a success in mind that was not recorded, until the job is delivered here again. It may as well go to another process. */
  keepInMind(delivery: Delivery<Job>): void {
    delivery.isUnrecorded = true;
    const kept = [...this.#byId.values()].filter(({ isUnrecorded }) => isUnrecorded);
    const [oldest] = kept;
    if (kept.length > maxUnrecorded && oldest !== undefined) this.#byId.delete(oldest.job.id);
  }
}

/** Whether a delivery that comes again is over, or will be, with the handler that was started for it before. */
function isAdoptable<Job extends FetchedJob>(known: Delivery<Job>, again: Delivery<Job>): boolean {
  if (known.isAbandoned) return false;
  if (known.ending === undefined) return true;
  // After a redrive attempts count from 1 again. A failure that is tried again, and what went back, come again by right.
  const isSameRound = again.description.attempt > known.description.attempt;
  return isSameRound && known.ending.outcome !== "retried" && known.ending.outcome !== undefined;
}
