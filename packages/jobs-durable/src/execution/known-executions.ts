import type { LeasedJob } from "../backend/job-backend.ts";
import { isUnended } from "./execution-end.ts";
import type { JobExecution } from "./job-execution.ts";

/** Successful runs that came too late to be recorded and are kept in mind, for all workers of an engine. */
const maxUnrecorded = 1_000;

/**
 * The executions of all workers of an engine, by job id, until their ends are recorded. A job that comes again meanwhile has lost
 * its lease, and must not run a second time beside the first, nor after the first has succeeded.
 */
export class KnownExecutions<Job extends LeasedJob> {
  /** A place is emptied when its execution goes: the discarded tables of a `Map` keep their values (see `RunningExecutions`). */
  readonly #byId = new Map<string, { execution: JobExecution<Job> | undefined }>();

  /** Takes an execution in. Returns the earlier one of the same job, if this one is to end as that does. */
  add(execution: JobExecution<Job>): JobExecution<Job> | undefined {
    const { jobId: id, enqueuedAt } = execution.delivery;
    const known = this.#byId.get(id)?.execution;
    this.#byId.set(id, { execution });
    // An id comes round again with its idempotency key, once the job before is no longer retained.
    if (known === undefined || known.delivery.enqueuedAt.getTime() !== enqueuedAt.getTime()) return undefined;
    known.supersededBy = execution;
    return isAdoptable(known, execution) ? known : undefined;
  }

  /** Forgets an execution, unless its success is unrecorded. */
  remove(execution: JobExecution<Job>): void {
    const { id } = execution.job;
    const place = this.#byId.get(id);
    if (place?.execution !== execution || execution.isUnrecordedSuccess) return;
    place.execution = undefined;
    this.#byId.delete(id);
  }

  /** Forgets the oldest of the successes that were not recorded, if there are many. They may as well have gone to another process. */
  limitUnrecorded(): void {
    const kept = [...this.#byId.values()].filter(({ execution }) => execution?.isUnrecordedSuccess);
    const oldest = kept[0]?.execution;
    if (kept.length > maxUnrecorded && oldest !== undefined) this.#byId.delete(oldest.job.id);
  }
}

/** Whether a job that comes again is over, or will be, with the handler that was started for it before. */
function isAdoptable<Job extends LeasedJob>(known: JobExecution<Job>, again: JobExecution<Job>): boolean {
  const { state } = known;
  if (isUnended(state)) return true;
  if (state.phase === "abandoned") return false;
  // After a redrive attempts count from 1 again. A failure that is tried again, a snooze, and what went back, come again by right.
  const isSameRound = again.delivery.attempt > known.delivery.attempt;
  return isSameRound && !["retried", "snoozed", "released"].includes(state.end.outcome.type);
}

/**
 * The executions of one worker, from the arrival of a job until its end is recorded. An array, and no `Set`: executions come and go, and V8
 * links each discarded table of a `Set` or `Map` to the one after it. Once such a table is in the old generation, all later tables and the
 * executions in them follow it there: copying them took a tenth of the processor time of a delivery.
 */
export class RunningExecutions<Job extends LeasedJob> implements Iterable<JobExecution<Job>> {
  readonly #executions: JobExecution<Job>[] = [];

  get size(): number {
    return this.#executions.length;
  }

  add(execution: JobExecution<Job>): void {
    execution.place = this.#executions.length;
    this.#executions.push(execution);
  }

  /** Takes an execution out. The last one gets its place. */
  remove(execution: JobExecution<Job>): void {
    const last = this.#executions.pop() as JobExecution<Job>;
    if (last === execution) return;
    this.#executions[execution.place] = last;
    last.place = execution.place;
  }

  [Symbol.iterator](): Iterator<JobExecution<Job>> {
    return this.#executions[Symbol.iterator]();
  }
}
