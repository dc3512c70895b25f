import type { Job } from "bullmq";

/** Of how many jobs the stalls are remembered. */
const maxRemembered = 10_000;

/** Finds whether the attempt before a job's present one stalled. BullMQ keeps how often a job stalled, and not when. */
export class StalledAttempts {
  readonly #seen = new Map<string, number>();

  /**
   * Whether the attempt before stalled, as far as can be known: of a job that has failed or moved as well, only the process that
   * ran it before knows.
   */
  isFollowedBy({ id, queueQualifiedName, stalledCounter = 0, attemptsStarted }: Job): boolean {
    if (stalledCounter === 0) return false;
    const key = `${queueQualifiedName}:${id}`;
    const isSure = attemptsStarted === stalledCounter + 1;
    const before = this.#seen.get(key) ?? (isSure ? stalledCounter - 1 : stalledCounter);
    this.#seen.delete(key);
    this.#seen.set(key, stalledCounter);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > maxRemembered && oldest !== undefined) this.#seen.delete(oldest);
    return stalledCounter > before;
  }
}
