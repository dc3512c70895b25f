import type { NewJob } from "../backend/job-backend.ts";
import type { FoundSchedule, ScheduleRecord, ScheduleStore } from "../backend/schedule-chain.ts";
import type { MemoryTable } from "./memory-table.ts";

/** The schedules of a memory engine, by job name and key. */
export class MemorySchedules implements ScheduleStore {
  readonly #table: MemoryTable;
  readonly #records = new Map<string, ScheduleRecord>();

  constructor(table: MemoryTable) {
    this.#table = table;
  }

  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  /** The names of all jobs that have schedules. */
  jobNames(): readonly string[] {
    return [...this.#records.values()].map(({ jobName }) => jobName);
  }

  async now(): Promise<number> {
    return Date.now();
  }

  async records(jobName: string | undefined): Promise<readonly FoundSchedule[]> {
    return [...this.#records.values()]
      .filter((record) => jobName === undefined || record.jobName === jobName)
      .map((record) => this.#found(record));
  }

  async find(jobName: string, key: string | undefined): Promise<FoundSchedule | undefined> {
    const record = this.#records.get(placeOf(jobName, key));
    return record && this.#found(record);
  }

  #found(record: ScheduleRecord): FoundSchedule {
    const { nextId } = record;
    return {
      record,
      startAtMs: this.#table.isPending(nextId) ? this.#table.find(nextId)?.runAtMs : undefined,
    };
  }

  async findStarted(jobNames: readonly string[]): Promise<readonly ScheduleRecord[]> {
    return [...this.#records.values()].filter(
      ({ jobName, nextId }) => jobNames.includes(jobName) && !this.#table.isPending(nextId),
    );
  }

  async put(record: ScheduleRecord, replacedId: string | undefined): Promise<boolean> {
    const place = placeOf(record.jobName, record.rule.key);
    if (this.#records.get(place)?.nextId !== replacedId) return false;
    this.#records.set(place, record);
    return true;
  }

  async remove({ jobName, rule, nextId }: ScheduleRecord): Promise<boolean> {
    const place = placeOf(jobName, rule.key);
    return this.#records.get(place)?.nextId === nextId && this.#records.delete(place);
  }

  async insert(job: NewJob): Promise<void> {
    this.#table.add(job);
  }

  async removeWaiting(_jobName: string, jobId: string): Promise<void> {
    this.#table.removePending(jobId);
  }
}

function placeOf(jobName: string, key: string | undefined): string {
  return JSON.stringify([jobName, key]);
}
