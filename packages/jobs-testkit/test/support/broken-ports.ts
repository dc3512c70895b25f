import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter, EngineCapabilities, EnqueuedJob, JobCounts } from "@nidus/jobs-durable";
import type { JobOutcome, NameBacklog, NewJob, SettleResult } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListedJob, type ListLeasedJob, type ListStore } from "./list-backend.ts";

const healthy = new ListBackend(new Map()).capabilities;

/** Leaves the jobs of dead workers where they are. */
export class ReclaimingNothing extends ListBackend {
  override due(names: readonly string[], atMs?: number): ListedJob[] {
    return super.due(names, atMs).filter(({ state }) => state === "pending");
  }
}

/** Has leases that end long after what it says. */
export class ReclaimingEarly extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    const leased = super.lease(listed);
    listed.leasedUntilMs -= this.leaseMs / 2;
    return leased;
  }
}

/** Never renews a lease. */
export class RenewingNothing extends ListBackend {
  override renewLeases(): void {}
}

/** Renews the leases of all jobs that run, whatever it was asked for. */
export class RenewingAll extends ListBackend {
  override renewLeases(): void {
    super.renewLeases(this.all().map((listed) => ({ ...this.leasedAs(listed) })));
  }

  leasedAs(listed: ListedJob): ListLeasedJob {
    return { ...listed, followsStalled: false, listed, lease: listed.lease };
  }
}

/** Takes a lost lease back when it is asked to renew it. */
export class TakingLeasesBack extends ListBackend {
  override renewLeases(jobs: readonly ListLeasedJob[]): void {
    for (const { listed, lease } of jobs) listed.lease = lease;
    super.renewLeases(jobs);
  }
}

/** Renews the lease of a job for a consumer that has lost it. */
export class ExtendingForOthers extends ListBackend {
  override renewLeases(jobs: readonly ListLeasedJob[]): void {
    super.renewLeases(jobs.map((job) => ({ ...job, lease: job.listed.lease })));
  }
}

/** Deletes nothing. */
export class KeepingForEver extends ListBackend {
  override isRetained(): boolean {
    return true;
  }
}

/** Deletes a job as soon as it has ended. */
export class ForgettingAtOnce extends ListBackend {
  override isRetained({ state }: ListedJob): boolean {
    return state === "pending" || state === "running";
  }
}

/** Has one retention for every end. */
export class ForgettingAllAlike extends ListBackend {
  override isRetained(listed: ListedJob): boolean {
    const { retainSucceededMs, retainDeadLettersMs } = this.retention;
    const retainMs = Math.min(retainSucceededMs, retainDeadLettersMs);
    return listed.endedAtMs === 0 || Date.now() <= listed.endedAtMs + retainMs;
  }
}

/** Records whatever outcome comes. */
export class SettlingAnything extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle({ ...job, lease: job.listed.lease }, outcome);
  }
}

/** Refuses a success alone from a worker that has lost its lease. */
export class SettlingLateFailures extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "succeeded") return super.settle(job, outcome);
    return super.settle({ ...job, lease: job.listed.lease }, outcome);
  }
}

/** Has one lease token for all that a process leases. */
export class OneTokenPerWorker extends ListBackend {
  readonly #token = Symbol("worker");

  override lease(listed: ListedJob): ListLeasedJob {
    const leased = super.lease(listed);
    listed.lease = this.#token;
    return { ...leased, lease: this.#token };
  }
}

/** Counts an attempt that ended with its worker as none. */
export class ForgivingDeaths extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    if (listed.state === "running") listed.attempt--;
    return super.lease(listed);
  }
}

/** Does not say that the attempt before had stalled. */
export class HidingStalls extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    return { ...super.lease(listed), followsStalled: false };
  }
}

/** Gives a job up by itself after its last attempt. */
export class GivingUpInSilence extends ListBackend {
  override due(names: readonly string[], atMs?: number): ListedJob[] {
    const due = super.due(names, atMs);
    for (const job of due) if (job.attempt >= job.maxAttempts) job.state = "deadLettered";
    return due.filter(({ state }) => state !== "deadLettered");
  }
}

/** Starts the newest job first. */
export class NewestFirst extends ListBackend {
  override due(names: readonly string[], atMs?: number): ListedJob[] {
    return super.due(names, atMs).reverse();
  }
}

/** Starts jobs by the moment at which they were stored, once they are all due: it looks every second. */
export class IgnoringDueMoments extends ListBackend {
  override due(names: readonly string[], atMs: number = Date.now()): ListedJob[] {
    const pending = this.all().filter(({ name, state }) => names.includes(name) && state === "pending");
    if (pending.some(({ runAt }) => runAt.getTime() > atMs)) return [];
    return super.due(names, atMs).sort((a, b) => a.number - b.number);
  }
}

/** Leases jobs, sees that its signal is aborted, and answers with none. */
export class DroppingAfterAborts extends ListBackend {
  override async fetch(
    names: readonly string[],
    limit: number,
    signal: AbortSignal,
  ): Promise<ListLeasedJob[]> {
    const leased = await super.fetch(names, limit, signal);
    await pause(2);
    return signal.aborted ? [] : leased;
  }
}

/** Looks whether an id is there, and stores the job some time later. */
export class RacingInserts extends ListBackend {
  override async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const isNew = jobs.map(({ id }) => this.find(id) === undefined);
    await pause(1);
    for (const [index, job] of jobs.entries()) if (isNew[index]) this.add({ ...job });
    return jobs.map(({ id }, index) => ({ id, isDuplicate: !isNew[index] }));
  }
}

/** Frees an id when its job ends. */
export class FreeingIds extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const result = super.settle(job, outcome);
    if (outcome.type === "succeeded") Object.assign(job.listed, { id: crypto.randomUUID() });
    return result;
  }
}

/** Hands out one job more than it was asked for. */
export class ExceedingLimits extends ListBackend {
  override async fetch(
    names: readonly string[],
    limit: number,
    signal: AbortSignal,
  ): Promise<ListLeasedJob[]> {
    return super.fetch(names, limit + 1, signal);
  }
}

/** Answers at once if there is no job. */
export class NeverWaiting extends ListBackend {
  override async fetch(names: readonly string[], limit: number): Promise<ListLeasedJob[]> {
    return this.due(names)
      .slice(0, limit)
      .map((job) => this.lease(job));
  }
}

/** Waits for a job for ever. */
export class NeverReturning extends ListBackend {
  override async fetch(
    names: readonly string[],
    limit: number,
    signal: AbortSignal,
  ): Promise<ListLeasedJob[]> {
    for (;;) {
      const leased = await super.fetch(names, limit, signal);
      if (leased.length > 0 || signal.aborted) return leased;
    }
  }
}

/** Waits to the end, whatever its signal says. */
export class DeafToAborts extends ListBackend {
  override async fetch(names: readonly string[], limit: number): Promise<ListLeasedJob[]> {
    for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
      const leased = this.due(names).slice(0, limit);
      if (leased.length > 0) return leased.map((job) => this.lease(job));
      await pause(10);
    }
    return [];
  }
}

/** Has a password in its address. */
export class ShowingPasswords extends ListBackend {
  override readonly address: string = "postgres://nidus:secret@db:5432/jobs";
}

/** Leaves a connection open when it is closed. */
export class LeavingConnections extends ListBackend {
  static port = 0;

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      const socket = connect(LeavingConnections.port, "127.0.0.1", resolve);
      socket.unref();
    });
  }
}

/** Takes the moment of a lease for that of the enqueue. */
export class StoredWhenLeased extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    return { ...super.lease(listed), enqueuedAt: new Date() };
  }
}

/** Takes the moment of the run for that of the enqueue. */
export class StoredWhenDue extends ListBackend {
  override add(job: NewJob): boolean {
    const isAdded = super.add(job);
    const listed = this.find(job.id);
    if (isAdded && listed && job.runAt) Object.assign(listed, { enqueuedAt: job.runAt });
    return isAdded;
  }
}

/** Claims transactions, and stores jobs outside of them. */
export class ClaimingTransactions extends ListBackend {
  override readonly capabilities: EngineCapabilities = { ...healthy, transactions: true };
}

/** Claims persistence, and each process has a store of its own. */
export class ClaimingPersistence extends ListBackend {
  override readonly store: ListStore = new Map();
}

/** Claims to take null characters, and cuts texts off there. */
export class ClaimingNullCharacters extends ListBackend {
  override readonly capabilities: EngineCapabilities = { ...healthy, nullCharacters: true };

  override add({ envelopeText, ...job }: NewJob): boolean {
    return super.add({ ...job, envelopeText: envelopeText.replaceAll("\\u0000", "") });
  }
}

/** Has rows in its backlog only for names with something waiting. */
export class LosingIdleNames extends ListBackend {
  override async backlog(): Promise<readonly NameBacklog[]> {
    return (await super.backlog()).filter(({ waiting }) => waiting > 0);
  }
}

/** Counts the jobs for later in its backlog. */
export class CountingLaterJobs extends ListBackend {
  override async backlog(): Promise<readonly NameBacklog[]> {
    const counts = await this.counts();
    return (await super.backlog()).map((row) => ({
      ...row,
      waiting: row.waiting + (counts.get(row.jobName)?.scheduled ?? 0),
    }));
  }
}

/** Has no dead letters in its backlog. */
export class HidingDeadLetters extends ListBackend {
  override async backlog(): Promise<readonly NameBacklog[]> {
    return (await super.backlog()).map((row) => ({
      ...row,
      deadLettered: 0,
      oldestDeadLetterAt: undefined,
    }));
  }
}

/** Says when the newest dead letter failed. */
export class TellingTheNewestDeadLetter extends ListBackend {
  override async backlog(): Promise<readonly NameBacklog[]> {
    const newest = (await this.deadLetters(1))[0]?.failedAt;
    return (await super.backlog()).map((row) => ({
      ...row,
      oldestDeadLetterAt: row.oldestDeadLetterAt && newest,
    }));
  }
}

/** Forgets a cancellation when the job is released. */
export class ForgettingRequests extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    listed.isCancelRequested = false;
    return super.lease(listed);
  }
}

/** Keeps requests to cancel in this process. */
export class CancellingHereAlone extends ListBackend {
  override async cancel(jobId: string): Promise<boolean> {
    const job = this.find(jobId);
    return job?.state === "running" ? true : super.cancel(jobId);
  }
}

/** Spends an attempt with a release. */
export class SpendingReleases extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "released") job.listed.attempt++;
    return super.settle(job, outcome);
  }
}

/** Tries a failed job again at once. */
export class IgnoringDelays extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle(job, outcome.type === "retried" ? { ...outcome, delayMs: 0 } : outcome);
  }
}

/** Cuts long names off, as a column of 255 characters does. */
export class CuttingNames extends ListBackend {
  override add(job: NewJob): boolean {
    return super.add({ ...job, name: job.name.slice(0, 255) });
  }
}

/** Records an outcome again, whatever became of the job. */
export class RecordingTwice extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const result = super.settle(job, outcome);
    if (result.isRecorded) job.listed.lease = job.lease;
    return result;
  }
}

/** Rejects with an error of its driver during an outage, and does not know it as one. */
export class UnknownOutages extends ListBackend {
  isAway = false;

  #answer(): void {
    if (this.isAway) throw new Error("Connection terminated unexpectedly");
  }

  override async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    this.#answer();
    return super.insert(jobs);
  }

  override async cancel(jobId: string): Promise<boolean> {
    this.#answer();
    return super.cancel(jobId);
  }

  override async redrive(jobId: string): Promise<boolean> {
    this.#answer();
    return super.redrive(jobId);
  }

  override async ping(): Promise<void> {
    this.#answer();
  }

  override async counts(): Promise<ReadonlyMap<string, JobCounts>> {
    this.#answer();
    return super.counts();
  }

  override async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    this.#answer();
    return super.deadLetters(limit);
  }
}

/** Knows the error of its driver. */
export class KnownOutages extends UnknownOutages {
  isUnreachable(error: unknown): boolean {
    return /terminated/.test(String(error));
  }
}

/** Stores no headers with a retry. */
export class LosingRetryHeaders extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle(job, "carrier" in outcome ? { ...outcome, carrier: undefined } : outcome);
  }
}

/** Forgets the headers of the last retry when a job is released. */
export class LosingReleasedHeaders extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "released") job.listed.previousCarrier = undefined;
    return super.settle(job, outcome);
  }
}

/** Keeps the headers of an earlier retry if the last one had none. */
export class KeepingRetryHeaders extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const { previousCarrier } = job.listed;
    const result = super.settle(job, outcome);
    job.listed.previousCarrier ??= previousCarrier;
    return result;
  }
}

/** Gives the attempt after a stalled one the headers of the attempt before that. */
export class LinkingPastStalls extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    const { previousCarrier } = listed;
    const leased = super.lease(listed);
    listed.previousCarrier = previousCarrier;
    return { ...leased, previousCarrier };
  }
}

/** Takes a snooze for a release, of whose headers nothing is said. */
export class LosingSnoozeHeaders extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const { previousCarrier } = job.listed;
    const result = super.settle(job, outcome);
    if (outcome.type === "snoozed") job.listed.previousCarrier = previousCarrier;
    return result;
  }
}

/** Says that it is there without asking its server. */
export class PingingNothing extends KnownOutages {
  override async ping(): Promise<void> {}
}
