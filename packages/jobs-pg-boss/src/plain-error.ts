import { EngineUnavailableError } from "@nidus/jobs-durable";
import { isOutOfReach, wordsOf } from "./out-of-reach.ts";

/** Copies words, code and stack of an error. node-postgres and pg-boss add clients and statements to theirs, with passwords and payloads. */
export function plainError(thrown: unknown): Error {
  const { code, stack } = (thrown ?? {}) as { code?: unknown; stack?: unknown };
  return Object.assign(
    new Error(wordsOf(thrown)),
    code !== undefined && { code },
    typeof stack === "string" && { stack },
  );
}

/**
 * Makes the error of a start that failed. What PostgreSQL and pg-boss say is in it whole, unless there is no `where`: then it may
 * have parts of a connection string in it, and its code has to do.
 */
export function startError(thrown: unknown, where: string | undefined): Error {
  const { code } = (thrown ?? {}) as { code?: unknown };
  if (/^NIDUS_/.test(String(code))) return thrown as Error;
  const place = where ?? "PostgreSQL at the given connection string";
  const hint = "percent-encode what is special in the user and the password";
  if (code === "ERR_INVALID_URL") {
    return new TypeError(`expected \`connectionString\` to be a PostgreSQL URL, got something else: ${hint}`);
  }
  const words = where === undefined ? `${code ?? "an error"}: ${hint}` : wordsOf(thrown);
  if (isOutOfReach(thrown)) {
    const cause = where === undefined ? undefined : { cause: plainError(thrown) };
    return new EngineUnavailableError(`${place} is unreachable (${words})`, cause);
  }
  // PostgreSQL's class of errors for invalid authorisation.
  const isRefused = /^28...$/.test(String(code));
  const message = isRefused ? `${place} refuses the user or the password (${words})` : `${place}: ${words}`;
  return Object.assign(new Error(message), code !== undefined && { code });
}
