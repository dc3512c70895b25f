import type { LeasedJob } from "../backend/job-backend.ts";
import type { JobExecution } from "./job-execution.ts";

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
