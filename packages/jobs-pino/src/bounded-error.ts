import type { JobError } from "@nidus/jobs-core";
import { isError, thrownError, thrownType } from "./thrown-error.ts";

/** Errors of a chain of causes, or of an AggregateError, that are written whole. */
const maxRelated = 10;

/**
 * Returns what goes on the line for an error that a job threw: the error itself, or, if its texts and those of its causes are longer than
 * `maxLength` together, an error of the same type that has its message and stack alone, both cut.
 */
export function boundedError(error: JobError, maxLength: number): Error {
  const thrown = thrownError(error);
  const related = relatedErrors(thrown);
  const lengthOf = (text: "message" | "stack"): number =>
    related.reduce((sum, each) => sum + String(each[text] ?? "").length, 0);
  if (related.length <= maxRelated && lengthOf("message") <= maxLength && lengthOf("stack") <= maxLength)
    return thrown;
  const type = cut(thrownType(error), maxLength);
  return Object.create(Error.prototype, {
    // An object, which is no function: serializers then take the name.
    constructor: { value: { name: type } },
    name: { value: type },
    message: { value: cut(thrown.message, maxLength) },
    stack: { value: cut(thrown.stack, maxLength) },
  }) as Error;
}

/** An error, its causes and the errors that it collects, in turn: one more than `maxRelated` at most. */
function relatedErrors(error: Error): Error[] {
  const found = [error];
  for (let index = 0; index < found.length && found.length <= maxRelated; index++) {
    const { cause, errors } = found[index] as { cause?: unknown; errors?: unknown };
    const next = [typeof cause === "function" ? undefined : cause, ...(Array.isArray(errors) ? errors : [])];
    found.push(...next.filter(isError).slice(0, maxRelated));
  }
  return found;
}

/** Shortens a text that is longer than a line may carry. */
export function cut(text: unknown, maxLength: number): string {
  const all = typeof text === "string" ? text : "";
  return all.length <= maxLength ? all : `${all.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
