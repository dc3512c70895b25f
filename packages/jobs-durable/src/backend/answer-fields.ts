import { isDate } from "node:util/types";
import type { LeasedJob } from "./job-backend.ts";
import type { SettleResult } from "./job-outcome.ts";
import { storedJobStates } from "./stored-job.ts";

/** An expectation, and whether a value meets it. */
export interface Expectation {
  readonly text: string;
  readonly isMet: (value: unknown) => boolean;
}

/** The fields that an answer needs, and what each is. */
export type Fields = readonly (readonly [field: string, expectation: Expectation])[];

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

const aString: Expectation = { text: "a string", isMet: (value) => typeof value === "string" };
const aNumber: Expectation = { text: "a number", isMet: (value) => typeof value === "number" };
export const aBoolean: Expectation = { text: "a boolean", isMet: (value) => typeof value === "boolean" };
const aDate: Expectation = { text: "a Date", isMet: isDate };
const anObject: Expectation = { text: "an object", isMet: isObject };
const anArray: Expectation = { text: "an array", isMet: Array.isArray };
const aFunction: Expectation = { text: "a function", isMet: (value) => typeof value === "function" };
const aState: Expectation = {
  text: `one of ${storedJobStates.join(", ")}`,
  isMet: (value) => storedJobStates.includes(value as never),
};
const orUndefined = ({ text, isMet }: Expectation): Expectation => ({
  text: `${text} or undefined`,
  isMet: (value) => value === undefined || isMet(value),
});

export const consumerFields: Fields = [
  ...["fetch", "settle", "renewLeases", "cancelRequests", "close"].map((name) => [name, aFunction] as const),
  ["settleAndFetch", orUndefined(aFunction)],
  ["saveProgress", orUndefined(aFunction)],
];
/** Without these, a job cannot run. */
export const neededFields: Fields = [
  ["id", aString],
  ["name", aString],
  ["envelope", anObject],
];
/** If these are wrong, the engine has a value of its own for them. */
export const descriptiveFields: Fields = [
  ["attempt", aNumber],
  ["maxAttempts", aNumber],
  ["enqueuedAt", aDate],
  ["runAt", aDate],
  ["isCancelRequested", aBoolean],
  ["followsStalled", aBoolean],
  ["previousCarrier", orUndefined(anObject)],
];
export const settleFields: Fields = [
  ["isRecorded", aBoolean],
  ["isCancelled", orUndefined(aBoolean)],
  ["next", orUndefined(anObject)],
];
/** Whether a job meets `neededFields` and `descriptiveFields`. A loop over these takes four times as long, for every job that is delivered. */
export function isWholeJob(job: LeasedJob): boolean {
  return (
    isObject(job) &&
    typeof job.id === "string" &&
    typeof job.name === "string" &&
    isObject(job.envelope) &&
    typeof job.attempt === "number" &&
    typeof job.maxAttempts === "number" &&
    isDate(job.enqueuedAt) &&
    isDate(job.runAt) &&
    typeof job.isCancelRequested === "boolean" &&
    typeof job.followsStalled === "boolean" &&
    (job.previousCarrier === undefined || isObject(job.previousCarrier))
  );
}

/** Whether an answer meets `settleFields`, for the same reason. */
export function isWholeSettlement(answer: SettleResult & { readonly next?: LeasedJob | undefined }): boolean {
  return (
    isObject(answer) &&
    typeof answer.isRecorded === "boolean" &&
    (answer.isCancelled === undefined || typeof answer.isCancelled === "boolean") &&
    (answer.next === undefined || isObject(answer.next))
  );
}

export const enqueuedFields: Fields = [
  ["id", aString],
  ["isDuplicate", aBoolean],
];
export const backlogFields: Fields = [
  ["jobName", aString],
  ["waiting", aNumber],
  ["oldestWaitingAt", orUndefined(aDate)],
  ["deadLettered", aNumber],
  ["oldestDeadLetterAt", orUndefined(aDate)],
];
export const countFields: Fields = [
  ...["scheduled", "waiting", "running", "succeeded", "deadLettered", "cancelled"].map(
    (name) => [name, aNumber] as const,
  ),
  ["oldestWaitingAt", orUndefined(aDate)],
];
export const deadLetterFields: Fields = [
  ["id", aString],
  ["jobName", aString],
  ["attempts", aNumber],
  ["error", aString],
  ["failedAt", aDate],
];
/** By the state of an end. */
export const endFields: Readonly<Record<string, Fields>> = {
  pending: [["jobName", aString]],
  succeeded: [["resultText", orUndefined(aString)]],
  "dead-lettered": [["error", aString]],
  cancelled: [],
  unknown: [],
};
export const storedJobFields: Fields = [
  ["id", aString],
  ["jobName", aString],
  ["state", aState],
  ["attempt", aNumber],
  ["maxAttempts", aNumber],
  ["enqueuedAt", aDate],
  ["runAt", aDate],
  ["startedAt", orUndefined(aDate)],
  ["finishedAt", orUndefined(aDate)],
  ["priority", aNumber],
  ["correlationId", orUndefined(aString)],
  ["attributes", anObject],
  ["progress", orUndefined(anObject)],
  ["errors", anArray],
];
export const scheduleFields: Fields = [
  ["jobName", aString],
  ["rule", anObject],
  ["madeAt", aDate],
  ["nextRunAt", orUndefined(aDate)],
];
export const pageFields: Fields = [
  ["jobs", anArray],
  ["position", orUndefined(anArray)],
];
