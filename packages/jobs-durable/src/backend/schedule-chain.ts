import { createHash } from "node:crypto";
import { nextMoment, type ScheduleRule, scheduleRuleFrom } from "../schedule/schedule-rule.ts";
import type { NewJob } from "./job-backend.ts";
import { idFromKey } from "./job-id.ts";
import type { StoredSchedule } from "./stored-schedule.ts";
import { validDate } from "./valid-date.ts";

/** A schedule as a {@link ScheduleStore} keeps it, with the next of its jobs. It is JSON. */
export interface ScheduleRecord {
  readonly jobName: string;
  readonly rule: ScheduleRule;
  /** When the rule was made, in Unix milliseconds. */
  readonly madeAtMs: number;
  /** The job that is stored for each moment. */
  readonly job: Omit<NewJob, "id" | "runAt">;
  /** Follows from rule and job: two schedules with one fingerprint are the same. */
  readonly fingerprint: string;
  /** The id of the next job, which follows from fingerprint and moment. */
  readonly nextId: string;
  /** When the next job is due, in Unix milliseconds. */
  readonly nextRunAtMs: number;
}

/** How many runs in a row that were cancelled before are skipped at once. A chain with more of them goes on the next time. */
const maxSkipped = 1_000;

/** How often a call tries to replace a record that others change at the same time. */
const maxTries = 100;

/** Keeps the records of schedules beside the jobs. A {@link ScheduleChain} decides what it keeps. */
export interface ScheduleStore {
  /** The store's clock, in Unix milliseconds. */
  now(): Promise<number>;
  /** The records of a job name, or if it is undefined, of all names, and when their next jobs can start. */
  records(jobName: string | undefined): Promise<readonly FoundSchedule[]>;
  /** The record of a schedule, and when its next job can start. */
  find(jobName: string, key: string | undefined): Promise<FoundSchedule | undefined>;
  /** The records of these jobs whose next job has started, has ended, or is gone. */
  findStarted(jobNames: readonly string[]): Promise<readonly ScheduleRecord[]>;
  /**
   * Stores a record, in place of the one whose `nextId` is `replacedId`, or if `replacedId` is undefined, of none. Resolves to
   * whether it did: several processes may try at once.
   */
  put(record: ScheduleRecord, replacedId: string | undefined): Promise<boolean>;
  /** Removes a record, unless the store has another `nextId` by now. Resolves to whether it did. */
  remove(record: ScheduleRecord): Promise<boolean>;
  /** Stores a job, unless its id is taken. */
  insert(job: NewJob): Promise<void>;
  /** Removes a job that has not started. */
  removeWaiting(jobName: string, jobId: string): Promise<void>;
}

/** A record, and when its next job can start. */
export interface FoundSchedule {
  readonly record: ScheduleRecord;
  /**
   * In Unix milliseconds: the record's `nextRunAtMs`, unless the job was rescheduled. Undefined if the job is not stored, or has started
   * before.
   */
  readonly startAtMs: number | undefined;
}

/**
 * Runs schedules as chains of stored jobs: the next job of a schedule is stored ahead, to run at its moment, and its delivery stores
 * the one after it. A job that came due while no worker was up thus runs once, late. No timer is needed, and nothing piles up.
 */
export class ScheduleChain {
  readonly #store: ScheduleStore;

  constructor(store: ScheduleStore) {
    this.#store = store;
  }

  /**
   * Stores a schedule, in place of the one with the same key. Leaves the same schedule alone. If the rule is the same and the job is
   * not, the next run keeps its moment, also if it is late or was rescheduled. A rule with no moment left ends the schedule.
   */
  async schedule(job: NewJob, rule: ScheduleRule): Promise<void> {
    const { id: _id, runAt: _runAt, ...template } = job;
    const fingerprint = fingerprintOf(rule, template);
    for (let tries = 0; tries < maxTries; tries++) {
      const found = await this.#store.find(job.name, rule.key);
      const startAtMs = found?.startAtMs;
      if (found?.record.fingerprint === fingerprint && startAtMs !== undefined) return;
      const nowMs = await this.#store.now();
      const isSameRule = found !== undefined && canonical(found.record.rule) === canonical(rule);
      const madeAtMs = isSameRule ? found.record.madeAtMs : nowMs;
      const isGoingOn = isSameRule && startAtMs !== undefined;
      const nextRunAtMs = isGoingOn
        ? found.record.nextRunAtMs
        : nextMoment(rule, isSameRule ? Math.max(nowMs, found.record.nextRunAtMs) : nowMs);
      if (nextRunAtMs === undefined) {
        if (found === undefined || (await this.#remove(found.record))) return;
        continue;
      }
      const nextId = nextIdOf({ jobName: job.name, fingerprint }, nextRunAtMs);
      const record = { jobName: job.name, rule, madeAtMs, job: template, fingerprint, nextId, nextRunAtMs };
      // Its next job may have been stored and cancelled before.
      if (await this.#put(record, found?.record, isGoingOn ? startAtMs : nextRunAtMs))
        return this.goOn([job.name]);
    }
    throw new Error(
      `the schedule of "${job.name}" was not stored: its record cannot be read, or changes all the time`,
    );
  }

  /** Ends a schedule, with its next job. Resolves to whether there was one. */
  async unschedule(jobName: string, key: string | undefined): Promise<boolean> {
    for (;;) {
      const found = await this.#store.find(jobName, key);
      if (found === undefined) return false;
      if (await this.#remove(found.record)) return true;
    }
  }

  /** The schedules of a job name, or if it is undefined, of all names. */
  async schedules(jobName: string | undefined): Promise<readonly StoredSchedule[]> {
    return (await this.#store.records(jobName)).map(({ record, startAtMs }) => ({
      jobName: record.jobName,
      rule: record.rule,
      madeAt: new Date(record.madeAtMs),
      nextRunAt: new Date(startAtMs ?? record.nextRunAtMs),
    }));
  }

  /**
   * Stores the next jobs of those schedules whose next job no longer waits. Call it when a job was leased that `isOfSchedule`, before
   * its handler runs; when such a job was cancelled; and now and then, since other programs may remove jobs.
   */
  async goOn(jobNames: Iterable<string>): Promise<void> {
    const names = [...new Set(jobNames)];
    let started = await this.#store.findStarted(names);
    for (let skipped = 0; started.length > 0 && skipped < maxSkipped; skipped++) {
      const nowMs = await this.#store.now();
      for (const record of started) {
        const nextRunAtMs = nextMoment(record.rule, Math.max(nowMs, record.nextRunAtMs));
        if (nextRunAtMs === undefined) await this.#store.remove(record);
        else await this.#put({ ...record, nextId: nextIdOf(record, nextRunAtMs), nextRunAtMs }, record);
      }
      // A job that is due later has not started: the store kept one of this moment that was cancelled before.
      started = (await this.#store.findStarted(names)).filter(({ nextRunAtMs }) => nextRunAtMs > nowMs);
    }
  }

  /** Stores the next job of a record, and then the record: if the process dies in between, the job runs and no run is lost. */
  async #put(
    record: ScheduleRecord,
    replaced: ScheduleRecord | undefined,
    startAtMs = record.nextRunAtMs,
  ): Promise<boolean> {
    const { jobName, rule, job, nextId } = record;
    await this.#store.insert({
      ...job,
      id: nextId,
      runAt: new Date(startAtMs),
      envelopeText: withMark(job.envelopeText),
      // Several processes may store it at once.
      hasIdempotencyKey: true,
    });
    if (await this.#store.put(record, replaced?.nextId)) {
      if (replaced !== undefined && replaced.nextId !== nextId) {
        await this.#store.removeWaiting(jobName, replaced.nextId);
      }
      return true;
    }
    const now = await this.#store.find(jobName, rule.key);
    if (now?.record.nextId !== nextId) await this.#store.removeWaiting(jobName, nextId);
    return false;
  }

  async #remove(record: ScheduleRecord): Promise<boolean> {
    const isRemoved = await this.#store.remove(record);
    if (isRemoved) await this.#store.removeWaiting(record.jobName, record.nextId);
    return isRemoved;
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a record from a store, to which other programs may write. Returns undefined for what is no record. */
export function scheduleRecordFrom(stored: unknown): ScheduleRecord | undefined {
  const record = (stored ?? {}) as ScheduleRecord;
  const { jobName, madeAtMs, job, fingerprint, nextId, nextRunAtMs } = record;
  const rule = scheduleRuleFrom(record.rule);
  const areMoments = [madeAtMs, nextRunAtMs].every((each) => validDate(new Date(each)) !== undefined);
  const areTexts = [jobName, fingerprint, nextId].every((each) => typeof each === "string");
  if (rule === undefined || !areMoments || !areTexts || !uuid.test(nextId)) return undefined;
  if (job?.name !== jobName || !isEnvelopeText(job.envelopeText)) return undefined;
  if (![job.maxAttempts, job.priority].every(Number.isSafeInteger)) return undefined;
  return { jobName, rule, madeAtMs, job, fingerprint, nextId, nextRunAtMs };
}

function isEnvelopeText(text: unknown): boolean {
  try {
    return typeof text === "string" && text.startsWith("{") && typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** The property of an envelope that marks the job of a schedule. */
const mark = "isScheduled";

/** Tells whether stored data, as JSON text or as a parsed value, are those of a schedule's job. */
export function isOfSchedule(data: unknown): boolean {
  if (typeof data === "string") return data.endsWith(`"${mark}":true}`);
  return typeof data === "object" && data !== null && (data as Record<string, unknown>)[mark] === true;
}

function withMark(envelopeText: string): string {
  return envelopeText === "{}" ? `{"${mark}":true}` : `${envelopeText.slice(0, -1)},"${mark}":true}`;
}

function nextIdOf(
  { jobName, fingerprint }: Pick<ScheduleRecord, "jobName" | "fingerprint">,
  runAtMs: number,
): string {
  return idFromKey(jobName, `schedule ${fingerprint} ${runAtMs}`);
}

function fingerprintOf(rule: ScheduleRule, job: ScheduleRecord["job"]): string {
  const text = canonical([rule, { ...job, envelopeText: JSON.parse(job.envelopeText) }]);
  return createHash("sha256").update(text).digest("base64url");
}

/** The JSON text of a value, the same for any order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
