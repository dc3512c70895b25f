import { isDate } from "node:util/types";
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

export const aString: Expectation = { text: "a string", isMet: (value) => typeof value === "string" };
export const aNumber: Expectation = { text: "a number", isMet: (value) => typeof value === "number" };
export const aBoolean: Expectation = { text: "a boolean", isMet: (value) => typeof value === "boolean" };
export const aDate: Expectation = { text: "a Date", isMet: isDate };
export const anObject: Expectation = { text: "an object", isMet: isObject };
const anArray: Expectation = { text: "an array", isMet: Array.isArray };
export const aFunction: Expectation = { text: "a function", isMet: (value) => typeof value === "function" };
const aState: Expectation = {
  text: `one of ${storedJobStates.join(", ")}`,
  isMet: (value) => storedJobStates.includes(value as never),
};
export const orUndefined = ({ text, isMet }: Expectation): Expectation => ({
  text: `${text} or undefined`,
  isMet: (value) => value === undefined || isMet(value),
});

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
