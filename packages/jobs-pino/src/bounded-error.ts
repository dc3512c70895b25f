import type { JobError } from "@nidus/jobs-core";
import { cutText, propertyOf, thrownErrorOf } from "@nidus/jobs-core/adapter";

/** How many errors of a chain of causes, or of an AggregateError, are written in full. */
const maxRelated = 10;

/**
 * Returns the error to write for a failed job. That is the thrown error itself, if the messages and the stacks of it
 * and its causes have at most `maxLength` characters each. Otherwise it is an error of the same type with only its
 * message and stack, both cut.
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
    // An object, not a function: serializers then take the name.
    constructor: { value: { name: type } },
    name: { value: type },
    message: { value: cutText(thrown.message, maxLength) },
    stack: { value: cutText(thrown.stack, maxLength) },
  }) as Error;
}

/**
 * Returns an error with its causes and collected errors, in turn: at most `maxRelated` and one more. As in pino's
 * serializer, whatever has a message is an error, and a cause may be a method that returns it, or throws.
 */
function relatedErrors(error: Error): Error[] {
  const found = [error];
  for (let index = 0; index < found.length && found.length <= maxRelated; index++) {
    const error = found[index] as { cause?: unknown; errors?: unknown };
    const { cause, errors } = error;
    const next = [
      typeof cause === "function" ? cause.call(error) : cause,
      ...(Array.isArray(errors) ? errors : []),
    ];
    found.push(...next.filter(hasMessage).slice(0, maxRelated));
  }
  return found;
}

function hasMessage(value: unknown): value is Error {
  return typeof propertyOf(value, "message") === "string";
}

/** Returns the name of the class of what a job threw, which pino's serializer writes as `type`. It never throws. */
export function thrownType(error: JobError): string {
  try {
    return String(thrownErrorOf(error).constructor.name);
  } catch {
    return error.name;
  }
}
