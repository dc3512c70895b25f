import { overdueTurn } from "@nidus/jobs-core/adapter";
import type { DeadLetter } from "../backend/dead-letter.ts";
import type { EngineCapabilities } from "../backend/engine-capabilities.ts";
import { envelopeFrom } from "../backend/envelope.ts";
import type { JobBackend, JobConsumer, LeasedJob, NewJob } from "../backend/job-backend.ts";
import type { JobCounts } from "../backend/job-counts.ts";
import type { AwaitedJob, JobEnd } from "../backend/job-end.ts";
import type { NameBacklog } from "../backend/name-backlog.ts";
import { ScheduleChain } from "../backend/schedule-chain.ts";
import type { StoredJob } from "../backend/stored-job.ts";
import type { StoredJobsPage, StoredJobsQuery } from "../backend/stored-jobs-query.ts";
import type { StoredSchedule } from "../backend/stored-schedule.ts";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import type { ScheduleRule } from "../schedule/schedule-rule.ts";
import { cancelAll, redriveAll } from "./acting.ts";
import type { MemoryJob } from "./memory-job.ts";
import { MemorySchedules } from "./memory-schedules.ts";
import { MemoryTable } from "./memory-table.ts";
import { maxWaitMs } from "./pending-jobs.ts";
import { storedJobFrom } from "./stored-jobs.ts";

/** How many fetches follow each other before the event loop's turn is looked at. A few short jobs always run in one go. */
const fetchesInOneGo = 32;

/** A job that a worker of this process holds. */
export interface MemoryLeasedJob extends LeasedJob {
  readonly stored: MemoryJob;
  /** Fences its outcome. */
  readonly lease: number;
}

/** Everything in the memory of one process, which therefore needs no leases. */
export class MemoryBackend implements JobBackend<MemoryLeasedJob> {
  readonly name = "memory";
  readonly address = "this process";
  readonly leaseMs = 30_000;
  readonly longestFetchMs: number = maxWaitMs;
  readonly capabilities: EngineCapabilities = {
    persistence: false,
    schedules: true,
    scheduleKeys: true,
    intervals: true,
    transactions: false,
    priorities: true,
    uniqueKeys: true,
    nullCharacters: true,
    listing: true,
    results: true,
    progress: true,
    snoozing: true,
  };
  readonly #table: MemoryTable;
  readonly #schedules: MemorySchedules;
  readonly #chain: ScheduleChain;

  constructor(retainSucceededMs: number, retainDeadLettersMs: number) {
    this.#table = new MemoryTable(retainSucceededMs, retainDeadLettersMs);
    this.#schedules = new MemorySchedules(this.#table);
    this.#chain = new ScheduleChain(this.#schedules);
  }

  queueOf(jobName: string): string {
    return jobName;
  }

  async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    return jobs.map((job) => this.#table.add(job));
  }

  async holderOf(jobName: string, uniqueKey: string): Promise<string | undefined> {
    return this.#table.holderOf(jobName, uniqueKey);
  }

  async consumer(jobNames: readonly string[]): Promise<JobConsumer<MemoryLeasedJob>> {
    const [table, schedules, chain] = [this.#table, this.#schedules, this.#chain];
    const names = new Set(jobNames);
    let fetches = 0;
    return {
      async fetch(limit, signal) {
        // Without a turn, short jobs would keep timers, sockets and signals waiting until no job is due.
        if (++fetches % fetchesInOneGo === 0) await overdueTurn();
        let due = table.take(names, limit);
        if (due.length === 0) {
          await table.changed(names, signal);
          due = table.take(names, limit);
        }
        if (!schedules.isEmpty) await chain.goOn(jobNames);
        return due.map(leasedFrom);
      },
      async settle(job, outcome) {
        return { isRecorded: job.lease === job.stored.lease && table.settle(job.stored, outcome) };
      },
      // A lease ends with the process, as the job does.
      async renewLeases() {},
      async cancelRequests(jobs) {
        return jobs.filter(({ stored }) => stored.isCancelRequested).map(({ id }) => id);
      },
      async saveProgress({ stored, lease }, progress) {
        if (stored.state === "running" && stored.lease === lease) stored.progress = progress;
      },
      async close() {},
    };
  }

  async cancel(jobId: string): Promise<boolean> {
    const isCancelled = this.#table.cancel(jobId);
    await this.#chain.goOn(this.#schedules.jobNames());
    return isCancelled;
  }

  async backlog(): Promise<readonly NameBacklog[]> {
    const oldest = this.#table.oldestDeadLetters();
    return [...this.#table.counts()].map(([jobName, { waiting, oldestWaitingAt, deadLettered }]) => ({
      jobName,
      waiting,
      oldestWaitingAt,
      deadLettered,
      oldestDeadLetterAt: oldest.get(jobName),
    }));
  }

  async ping(): Promise<void> {}

  async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    return this.#table.counts();
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#table.deadLetters(limit);
  }

  async redrive(jobId: string): Promise<boolean> {
    return this.#table.redrive(jobId);
  }

  async job(
    jobId: string,
    { withPayload }: { readonly withPayload: boolean },
  ): Promise<StoredJob | undefined> {
    const job = this.#table.find(jobId);
    return job && storedJobFrom(job, withPayload);
  }

  async ends(jobs: readonly AwaitedJob[]): Promise<readonly JobEnd[]> {
    return jobs.map(({ id }) => endOf(this.#table.find(id)));
  }

  schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    return this.#chain.schedule(job, rule);
  }

  unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    return this.#chain.unschedule(jobName, key);
  }

  schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return this.#chain.schedules(jobName);
  }

  async reschedule(jobId: string, runAt: Date): Promise<boolean> {
    return this.#table.reschedule(jobId, runAt.getTime());
  }

  async cancelAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    const cancelled = cancelAll(this.#table, jobName, jobIds);
    await this.#chain.goOn([jobName]);
    return cancelled;
  }

  async redriveAll(jobName: string, jobIds: readonly string[]): Promise<readonly string[]> {
    return redriveAll(this.#table, jobName, jobIds);
  }

  async jobs(query: StoredJobsQuery): Promise<StoredJobsPage> {
    return this.#table.page(query);
  }

  async close(): Promise<void> {}
}

function endOf(job: MemoryJob | undefined): JobEnd {
  if (job === undefined) return { state: "unknown" };
  const { name, state, resultText, error } = job;
  if (state === "pending" || state === "running") return { state: "pending", jobName: name };
  if (state === "succeeded") return { state, resultText };
  return state === "cancelled" ? { state } : { state, error };
}

/** Member by member: with a spread of them, each delivery takes twice as long. */
function leasedFrom(stored: MemoryJob): MemoryLeasedJob {
  return {
    stored,
    lease: stored.lease,
    id: stored.id,
    name: stored.name,
    // Made anew, in the realm of this module: what a handler does to its payload is not for the next attempt to see.
    envelope: envelopeFrom(stored.envelopeText),
    attempt: stored.attempt,
    maxAttempts: stored.maxAttempts,
    enqueuedAt: new Date(stored.enqueuedAtMs),
    runAt: new Date(stored.runAtMs),
    isCancelRequested: stored.isCancelRequested,
    previousCarrier: stored.previousCarrier,
    // Every worker of the table ends with it.
    followsStalled: false,
  };
}
