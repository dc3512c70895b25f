import { isDate } from "node:util/types";
import type { EnqueuedJob } from "../errors/enqueued-job.ts";
import {
  aBoolean,
  backlogFields,
  countFields,
  deadLetterFields,
  endFields,
  enqueuedFields,
  type Fields,
  isObject,
  pageFields,
  scheduleFields,
  storedJobFields,
} from "./answer-fields.ts";
import type { DeadLetter } from "./dead-letter.ts";
import type { JobCounts } from "./job-counts.ts";
import type { JobEnd } from "./job-end.ts";
import type { NameBacklog } from "./name-backlog.ts";
import type { StoredJob } from "./stored-job.ts";
import type { StoredJobsPage } from "./stored-jobs-query.ts";
import type { StoredSchedule } from "./stored-schedule.ts";

/** A backend gave an answer that its port does not allow: its author has to change it, and a repetition does not help. */
export class WrongAnswerError extends TypeError {
  static {
    WrongAnswerError.prototype.name = "WrongAnswerError";
  }
}

/** Checks what the methods of a backend return, and returns it. Each throws a WrongAnswerError that names the method, the field and what was expected. */
export class BackendAnswers {
  readonly #backend: string;

  constructor(backend: string) {
    this.#backend = backend;
  }

  insert(answer: readonly EnqueuedJob[], count: number): readonly EnqueuedJob[] {
    const expected = `an array of ${count} objects such as { id, isDuplicate: false }, one for each job`;
    if (!Array.isArray(answer) || answer.length !== count) {
      throw this.#wrong("insert", describe(answer), expected);
    }
    for (const each of answer) this.object("insert", each, expected, "an answer", enqueuedFields);
    return answer;
  }

  yesOrNo(method: "cancel" | "redrive" | "reschedule" | "unschedule", answer: boolean): boolean {
    if (typeof answer !== "boolean") throw this.#wrong(method, describe(answer), aBoolean.text);
    return answer;
  }

  backlog(answer: readonly NameBacklog[]): readonly NameBacklog[] {
    for (const each of this.array("backlog", answer, "a backlog for each job name")) {
      this.object("backlog", each, "an object for each job name", "a backlog", backlogFields);
    }
    return answer;
  }

  counts(answer: ReadonlyMap<string, JobCounts>): ReadonlyMap<string, JobCounts> {
    if (typeof (answer as Partial<Map<string, JobCounts>> | undefined)?.[Symbol.iterator] !== "function") {
      throw this.#wrong("counts", describe(answer), "a Map of counts by job name");
    }
    for (const [, each] of answer) {
      this.object("counts", each, "a Map of counts by job name", "counts", countFields);
    }
    return answer;
  }

  deadLetters(answer: readonly DeadLetter[]): readonly DeadLetter[] {
    for (const each of this.array("deadLetters", answer, "dead letters")) {
      this.object("deadLetters", each, "an array of dead letters", "a dead letter", deadLetterFields);
    }
    return answer;
  }

  job(answer: StoredJob | undefined): StoredJob | undefined {
    return answer === undefined
      ? answer
      : this.object("job", answer, "a job or undefined", "a job", storedJobFields);
  }

  ends(answer: readonly JobEnd[], count: number): readonly JobEnd[] {
    const expected = `an array of ${count} ends, one for each job`;
    if (!Array.isArray(answer) || answer.length !== count) {
      throw this.#wrong("ends", describe(answer), expected);
    }
    for (const each of answer as readonly JobEnd[]) {
      const fields = isObject(each) ? endFields[each.state] : undefined;
      if (fields === undefined) throw this.#wrong("ends", "an end without a state", expected);
      this.object("ends", each, expected, `the end "${each.state}"`, fields);
    }
    return answer;
  }

  schedules(answer: readonly StoredSchedule[]): readonly StoredSchedule[] {
    for (const each of this.array("schedules", answer, "schedules")) {
      this.object("schedules", each, "an array of schedules", "a schedule", scheduleFields);
    }
    return answer;
  }

  holderOf(answer: string | undefined): string | undefined {
    if (answer === undefined || typeof answer === "string") return answer;
    throw this.#wrong("holderOf", describe(answer), "the id of a job or undefined");
  }

  jobs(answer: StoredJobsPage): StoredJobsPage {
    this.object("jobs", answer, "a page of jobs", "a page", pageFields);
    for (const each of answer.jobs) this.object("jobs", each, "a page of jobs", "a job", storedJobFields);
    return answer;
  }

  /** Checks that an answer is an array of texts. */
  ids(method: string, answer: readonly string[]): readonly string[] {
    const wrong = this.array(method, answer, "ids of jobs").find((each) => typeof each !== "string");
    if (wrong !== undefined) throw this.#wrong(method, `an array with ${describe(wrong)}`, "ids of jobs");
    return answer;
  }

  /** Checks that an answer is an array. */
  array<T>(method: string, answer: readonly T[], elements: string): readonly T[] {
    if (!Array.isArray(answer)) throw this.#wrong(method, describe(answer), `an array of ${elements}`);
    return answer;
  }

  /** Checks that an answer, or a part of one, is an object with these fields. */
  object<T extends object>(method: string, answer: T, expected: string, what: string, fields: Fields): T {
    if (!isObject(answer)) throw this.#wrong(method, describe(answer), expected);
    for (const [field, { text, isMet }] of fields) {
      const value = (answer as Record<string, unknown>)[field];
      if (!isMet(value)) throw this.#wrong(method, `${what} whose \`${field}\` is ${describe(value)}`, text);
    }
    return answer;
  }

  #wrong(method: string, returned: string, expected: string): WrongAnswerError {
    return new WrongAnswerError(
      `\`${method}\` of ${this.#backend} returned ${returned}, expected ${expected}`,
    );
  }
}

/** Names the kind of a value. Texts may be payloads: only dates and numbers are shown. */
function describe(value: unknown): string {
  if (typeof value === "string" && /^-?\d+$/.test(value)) return `the number ${value} as a string`;
  if (typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value))
    return `the date ${value.slice(0, 30)} as a string`;
  if (typeof value === "string") return "a string";
  if (typeof value === "bigint") return `the bigint ${value}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isDate(value)) return "a Date";
  return value === null || !["object", "function", "symbol"].includes(typeof value)
    ? String(value)
    : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}
