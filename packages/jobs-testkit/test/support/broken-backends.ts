import { setTimeout as pause } from "node:timers/promises";
import type { DeadLetter, EnqueuedJob, JobCounts } from "@nidus/jobs-durable";
import type { JobOutcome, NewJob, SettleResult } from "@nidus/jobs-durable/backend";
import { ListBackend, type ListedJob, type ListLeasedJob } from "./list-backend.ts";

/** An envelope without one of its members. */
function without(member: string, envelopeText: string): string {
  return JSON.stringify({ ...(JSON.parse(envelopeText) as object), [member]: undefined });
}

/** Acknowledges every fifth job without storing it. */
export class Dropping extends ListBackend {
  #added = 0;

  override add(job: NewJob): boolean {
    return ++this.#added % 5 === 0 ? true : super.add(job);
  }
}

/** Delivers every job that has succeeded once more. */
export class RunningTwice extends ListBackend {
  readonly #seen = new Set<string>();

  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    const isFirst = outcome.type === "succeeded" && !this.#seen.has(job.id);
    this.#seen.add(job.id);
    if (!isFirst) return super.settle(job, outcome);
    setTimeout(() => super.settle(job, { type: "released" }), 2);
    return { isRecorded: true };
  }
}

/** Says that it cancels, and does not. */
export class CancellingNothing extends ListBackend {
  override async cancel(): Promise<boolean> {
    return true;
  }
}

/** Says yes to every cancellation, whether there is such a job or not. */
export class CancellingAnything extends ListBackend {
  override async cancel(jobId: string): Promise<boolean> {
    await super.cancel(jobId);
    return true;
  }
}

/** Does not hear of cancellations from elsewhere. */
export class DeafToCancellation extends ListBackend {
  override cancelRequests(): string[] {
    return [];
  }
}

/** Delivers a job again without saying that it was cancelled. */
export class ForgettingRequests extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    listed.isCancelRequested = false;
    return super.lease(listed);
  }
}

/** Counts what was enqueued for later as scheduled until it runs. */
export class CountingDueAsScheduled extends ListBackend {
  override countsOf(jobs: readonly ListedJob[]): JobCounts {
    const { scheduled, waiting, ...counts } = super.countsOf(jobs);
    const due = jobs.filter(
      ({ state, runAt, enqueuedAt }) =>
        state === "pending" && runAt > enqueuedAt && runAt.getTime() <= Date.now(),
    ).length;
    return { ...counts, scheduled: scheduled + due, waiting: waiting - due };
  }
}

/** Counts what was released as an attempt. */
export class SpendingAttempts extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "released") job.listed.attempt++;
    return super.settle(job, outcome);
  }
}

/** Keeps what was released for good. */
export class LosingWhatComesBack extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return outcome.type === "released" ? { isRecorded: true } : super.settle(job, outcome);
  }
}

/** Takes jobs of names that its worker does not know, and fails them. */
export class TakingUnknownNames extends ListBackend {
  override due(names: readonly string[], atMs?: number): ListedJob[] {
    for (const job of super.due([...this.store.keys()], atMs)) {
      if (!names.includes(job.name)) job.state = "deadLettered";
    }
    return super.due(names, atMs);
  }
}

/** Serves the first of its names for as long as it has work. */
export class Starving extends ListBackend {
  override due(names: readonly string[], atMs?: number): ListedJob[] {
    return [...names].sort().flatMap((name) => super.due([name], atMs));
  }
}

/** Forgets headers. */
export class LosingCarriers extends ListBackend {
  override add({ envelopeText, ...job }: NewJob): boolean {
    return super.add({ ...job, envelopeText: without("carrier", envelopeText) });
  }
}

/** Forgets correlation ids. */
export class LosingCorrelation extends ListBackend {
  override add({ envelopeText, ...job }: NewJob): boolean {
    return super.add({ ...job, envelopeText: without("correlationId", envelopeText) });
  }
}

/** Lists dead letters the wrong way round. */
export class OldestDeadLettersFirst extends ListBackend {
  override async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return [...(await super.deadLetters(Number.MAX_SAFE_INTEGER))].reverse().slice(0, limit);
  }
}

/** Lists all dead letters, however many were asked for. */
export class IgnoringLimits extends ListBackend {
  override async deadLetters(): Promise<readonly DeadLetter[]> {
    return super.deadLetters(Number.MAX_SAFE_INTEGER);
  }
}

/** Stores jobs of one key as often as they come. */
export class IgnoringKeys extends ListBackend {
  override add(job: NewJob): boolean {
    return super.add({ ...job, id: crypto.randomUUID() });
  }
}

/** Forgets a key when its job has ended. */
export class ForgettingKeys extends ListBackend {
  override add(job: NewJob): boolean {
    const old = this.find(job.id);
    if (old?.state === "succeeded") Object.assign(old, { id: crypto.randomUUID() });
    return super.add(job);
  }
}

/** Has no patience. */
export class StartingEarly extends ListBackend {
  override due(names: readonly string[]): ListedJob[] {
    return super.due(names, Date.now() + 500);
  }
}

/** Hands out the stored payload itself. */
export class SharingPayloads extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    return { ...super.lease(listed), envelope: listed.envelope };
  }
}

/** Lets leases run out while their jobs run. */
export class LettingLeasesLapse extends ListBackend {
  override renewLeases(): void {}
}

/** Counts what is due later as waiting. */
export class CountingAllAsWaiting extends ListBackend {
  override countsOf(jobs: readonly ListedJob[]): JobCounts {
    const counts = super.countsOf(jobs);
    return { ...counts, waiting: counts.waiting + counts.scheduled, scheduled: 0 };
  }
}

/** Does not say how old its backlog is. */
export class HidingItsAge extends ListBackend {
  override countsOf(jobs: readonly ListedJob[]): JobCounts {
    return { ...super.countsOf(jobs), oldestWaitingAt: undefined };
  }
}

/** Leaves a dead letter's attempts as they are when it runs again. */
export class KeepingAttempts extends ListBackend {
  override async redrive(jobId: string): Promise<boolean> {
    const attempt = this.find(jobId)?.attempt ?? 0;
    const isRedriven = await super.redrive(jobId);
    if (isRedriven) Object.assign(this.find(jobId) as ListedJob, { attempt });
    return isRedriven;
  }
}

/** Redrives whatever it has. */
export class RedrivingAnything extends ListBackend {
  override async redrive(jobId: string): Promise<boolean> {
    const job = this.find(jobId);
    if (job !== undefined) job.state = "deadLettered";
    return super.redrive(jobId);
  }
}

/** Takes its enqueuing time for the time at which an attempt was due. */
export class ForgettingDueTimes extends ListBackend {
  override lease(listed: ListedJob): ListLeasedJob {
    return { ...super.lease(listed), runAt: listed.enqueuedAt };
  }
}

/** Forgets everything when it is closed, and says that it persists. */
export class Forgetful extends ListBackend {
  override async close(): Promise<void> {
    this.store.clear();
  }
}

/** Mangles texts as a store with the wrong encoding does. */
export class SpeakingAsciiOnly extends ListBackend {
  override add(job: NewJob): boolean {
    return super.add({ ...job, envelopeText: job.envelopeText.replace(/[^\p{ASCII}]/gu, "?") });
  }
}

/** Stores a batch the wrong way round, so that ids and payloads do not belong together. */
export class MixingBatchesUp extends ListBackend {
  override async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const texts = jobs.map(({ envelopeText }) => envelopeText).reverse();
    return super.insert(jobs.map((job, index) => ({ ...job, envelopeText: texts[index] ?? "{}" })));
  }
}

/** Applies the options of a batch to its first job alone. */
export class LookingAtTheFirst extends ListBackend {
  override async insert([first, ...others]: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    return super.insert([first as NewJob, ...others.map((job) => ({ ...job, runAt: undefined }))]);
  }
}

/** Cannot cancel what has been tried before. */
export class HoldingOnToRetries extends ListBackend {
  override async cancel(jobId: string): Promise<boolean> {
    const job = this.find(jobId);
    return job?.state === "pending" && job.attempt > 0 ? false : super.cancel(jobId);
  }
}

/** Counts a first attempt that was released, and no later one. */
export class SpendingFirstAttempts extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    if (outcome.type === "released" && job.attempt === 1) job.listed.attempt++;
    return super.settle(job, outcome);
  }
}

/** Starts the newest of its jobs first. */
export class NewestFirst extends ListBackend {
  override due(names: readonly string[], atMs?: number): ListedJob[] {
    return super.due(names, atMs).reverse();
  }
}

/** Stores what a batch has too much and tells of it all the same. */
export class StoringTheFirstPart extends ListBackend {
  readonly #stored = new Set<string>();

  override async insert(jobs: readonly NewJob[]): Promise<readonly EnqueuedJob[]> {
    const [{ name }] = jobs as [NewJob];
    if (this.#stored.has(name) && jobs.length > 50) return jobs.map(({ id }) => ({ id, isDuplicate: false }));
    if (jobs.length > 50) this.#stored.add(name);
    return super.insert(jobs);
  }
}

/** Takes the parts of an id for an id. */
export class FindingBySuffix extends ListBackend {
  override find(jobId: string): ListedJob | undefined {
    return this.all().find(({ id }) => jobId.startsWith(id));
  }
}

/** Breaks when it is asked for an id that it does not understand. */
export class BreakingOnIds extends ListBackend {
  override find(jobId: string): ListedJob | undefined {
    if (!/^[0-9a-f-]{36}$/.test(jobId)) throw new Error(`invalid input syntax for type uuid: "${jobId}"`);
    return super.find(jobId);
  }
}

/** Says of every redrive that comes in time that it was the one. */
export class RedrivingForAll extends ListBackend {
  override async redrive(jobId: string): Promise<boolean> {
    const isDead = this.find(jobId)?.state === "deadLettered";
    await pause(10);
    await super.redrive(jobId);
    return isDead;
  }
}

/** Keeps jobs that have ended for ever. */
export class KeepingForEver extends ListBackend {
  override isRetained(): boolean {
    return true;
  }
}

/** Deletes jobs in half of the time for which they are to be kept. */
export class ForgettingEarly extends ListBackend {
  override isRetained(listed: ListedJob): boolean {
    return super.isRetained({
      ...listed,
      endedAtMs: listed.endedAtMs - this.retention.retainSucceededMs / 2,
    });
  }
}

/** Cancels what has ended. */
export class CancellingWhatEnded extends ListBackend {
  override async cancel(jobId: string): Promise<boolean> {
    return (await super.cancel(jobId)) || this.find(jobId)?.state === "succeeded";
  }
}

/** Stores jobs without the sizes of their payloads. */
export class LosingSizes extends ListBackend {
  override add(job: NewJob): ReturnType<ListBackend["add"]> {
    return super.add({ ...job, envelopeText: without("payloadBytes", job.envelopeText) });
  }
}

/** Stores no headers with a retry. */
export class LosingRetryHeaders extends ListBackend {
  override settle(job: ListLeasedJob, outcome: JobOutcome): SettleResult {
    return super.settle(job, "carrier" in outcome ? { ...outcome, carrier: undefined } : outcome);
  }
}
