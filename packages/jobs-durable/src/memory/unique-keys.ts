import type { MemoryJob } from "./memory-job.ts";

/** The jobs that hold unique keys, by job name and key. */
export class UniqueKeys {
  readonly #holders = new Map<string, MemoryJob>();

  /** Returns the job that holds a key at this moment. */
  holderOf(jobName: string, uniqueKey: string, nowMs: number): MemoryJob | undefined {
    const holder = this.#holders.get(placeOf(jobName, uniqueKey));
    return holder !== undefined && nowMs < holder.uniqueUntilMs ? holder : undefined;
  }

  hold(job: MemoryJob): void {
    if (job.uniqueKey !== undefined) this.#holders.set(placeOf(job.name, job.uniqueKey), job);
  }

  /** Makes another object of the same job the holder, if the job holds its key. */
  passOn(before: MemoryJob, job: MemoryJob): void {
    if (job.uniqueKey !== undefined && this.#holders.get(placeOf(job.name, job.uniqueKey)) === before)
      this.hold(job);
  }

  /** Frees the key of a job, unless another job holds it by now. */
  free({ id, name, uniqueKey }: MemoryJob): void {
    if (uniqueKey === undefined) return;
    const place = placeOf(name, uniqueKey);
    if (this.#holders.get(place)?.id === id) this.#holders.delete(place);
  }
}

function placeOf(jobName: string, uniqueKey: string): string {
  return JSON.stringify([jobName, uniqueKey]);
}
