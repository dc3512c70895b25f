import { EngineUnavailableError } from "@nidus/jobs-durable";

/** A mistake of whoever started the program: one line tells them, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Whether one line says all that is to be known of an error: a mistake of the user's, or a server that is away. */
export function isSaidInOneLine(error: unknown): error is Error {
  return error instanceof UserError || EngineUnavailableError.isInstance(error);
}
