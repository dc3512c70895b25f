import { EngineUnavailableError } from "@nidus/jobs-durable";

/** A mistake of the user who started the program. One line describes it, without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Tells whether one line describes an error completely: a mistake of the user, or an unreachable server. */
export function isSaidInOneLine(error: unknown): error is Error {
  return error instanceof UserError || EngineUnavailableError.isInstance(error);
}
