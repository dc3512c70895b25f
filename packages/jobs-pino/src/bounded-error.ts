import type { JobError } from "@nidus/jobs-core";
import { cutText, isErrorLike, thrownErrorOf } from "@nidus/jobs-core/adapter";

/** Errors of a chain of causes, or of an AggregateError, that are written whole. */
const maxRelated = 10;

/**
 * Returns what goes on the line for an error that a job threw: the error itself, or, if its texts and those of its causes are longer than
 * `maxLength` together, an error of the same type that has its message and stack alone, both cut.
 */
export function boundedError(error: JobError, maxLength: number): Error {
  const thrown = thrownErrorOf(error);
  const related = relatedErrors(thrown);
  const lengthOf = (text: "message" | "stack"): number =>
    related.reduce((sum, each) => sum + String(each[text] ?? "").length, 0);
  if (related.length <= maxRelated && lengthOf("message") <= maxLength && lengthOf("stack") <= maxLength)
    return thrown;
  const type = cutText(thrownType(error), maxLength);
  return Object.create(Error.prototype, {
    // An object, which is no function: serializers then take the name.
    constructor: { value: { name: type } },
    name: { value: type },
    message: { value: cutText(thrown.message, maxLength) },
    stack: { value: cutText(thrown.stack, maxLength) },
  }) as Error;
}

/** An error, its causes and the errors that it collects, in turn: one more than `maxRelated` at most. */
function relatedErrors(error: Error): Error[] {
  const found = [error];
  for (let index = 0; index < found.length && found.length <= maxRelated; index++) {
    const { cause, errors } = found[index] as { cause?: unknown; errors?: unknown };
    const next = [typeof cause === "function" ? undefined : cause, ...(Array.isArray(errors) ? errors : [])];
    found.push(...next.filter(isErrorLike).slice(0, maxRelated));
  }
  return found;
}

/** Returns the name of the class of what a job threw, which pino's serializer writes as `type`. It never throws. */
export function thrownType(error: JobError): string {
  try {
    return String(thrownErrorOf(error).constructor.name);
  } catch {
    return error.name;
  }
}
