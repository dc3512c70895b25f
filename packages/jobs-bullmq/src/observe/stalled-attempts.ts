import type { Job } from "bullmq";

/** The number of jobs whose stalls are remembered. */
const maxRemembered = 10_000;

/** Tells which attempts follow a stalled one. BullMQ stores how often a job stalled, and not when. */
export class StalledAttempts {
  readonly #seen = new Map<string, number>();

  /**
   * Tells whether the attempt before a job's present one stalled. If the job has failed or moved as well, only the process that ran it
   * before can tell.
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
