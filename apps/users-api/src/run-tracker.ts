import type {
  JobObserver,
  JobResultStatus,
  ObservedJobContext,
  SettledJobContext,
} from "@nidus/jobs-observe";

/** Tracks the outcomes of jobs that were delivered to this process since `begin`. */
export class RunTracker implements JobObserver {
  readonly #settled = new Set<string>();
  readonly #cancelled = new Set<string>();
  #awaited = new Set<string>();
  #allSettled: () => void = () => {};
  #isFollowing = false;

  onJobStarted({ delivery }: ObservedJobContext): void {
    if (delivery !== undefined) this.#cancelled.delete(delivery.jobId);
  }

  onJobFinished({ delivery }: ObservedJobContext, status: JobResultStatus): void {
    if (delivery !== undefined && status === "cancelled" && this.#isFollowing)
      this.#cancelled.add(delivery.jobId);
  }

  onJobSettled({ delivery: { jobId }, outcome }: SettledJobContext): void {
    if (outcome === "retried" || outcome === "stalled" || !this.#isFollowing) return;
    this.#settled.add(jobId);
    this.#awaited.delete(jobId);
    if (this.#awaited.size === 0) this.#allSettled();
  }

  /** Forgets earlier outcomes, and records those from now on. */
  begin(): void {
    this.end();
    this.#isFollowing = true;
  }

  end(): void {
    this.#isFollowing = false;
    this.#settled.clear();
    this.#cancelled.clear();
    this.#awaited.clear();
  }

  /** Returns how many of these jobs have ended here for good. */
  countSettled(ids: ReadonlySet<string>): number {
    return countOf(this.#settled, ids);
  }

  /** Returns how many of these jobs started here and ended because their signal was aborted. */
  countCancelled(ids: ReadonlySet<string>): number {
    return countOf(this.#cancelled, ids);
  }

  /** Resolves once all of these jobs have ended here for good. It never resolves if other processes run a part of them. */
  settled(ids: ReadonlySet<string>): Promise<void> {
    this.#awaited = new Set([...ids].filter((id) => !this.#settled.has(id)));
    if (this.#awaited.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#allSettled = resolve;
    });
  }
}

function countOf(noted: ReadonlySet<string>, ids: ReadonlySet<string>): number {
  let count = 0;
  for (const id of noted) if (ids.has(id)) count++;
  return count;
}
