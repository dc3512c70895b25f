import { EngineUnavailableError } from "@nidus/jobs-durable";
import { isUnreachable, messageOf } from "../database/unreachable.ts";

/** Errors of PostgreSQL or TLS that a repetition would not change, and their meaning. Each begins with its code. */
const refusals: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [
    /^28000 .*no encryption/,
    "refuses connections without TLS: add `sslmode=verify-full` to `connectionString`",
  ],
  // PostgreSQL's class of errors for invalid authorisation.
  [/^28...\s/, "refuses the user or the password"],
  [
    /^(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY)/,
    "has a certificate of an unknown authority: pass the path of its certificate as `sslrootcert` in `connectionString`",
  ],
  [/^ERR_TLS_CERT_ALTNAME_INVALID/, "has a certificate for another host: connect to a name that is in it"],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)/, "has a certificate that is not valid at this time"],
];

/**
 * Copies message, code and stack of an error. node-postgres and pg-boss attach clients and statements to their errors, with
 * passwords and payloads.
 */
export function redactedError(thrown: unknown): Error {
  const { code, stack } = (thrown ?? {}) as { code?: unknown; stack?: unknown };
  return Object.assign(
    new Error(messageOf(thrown)),
    code !== undefined && { code },
    typeof stack === "string" && { stack },
  );
}

/**
 * Makes the error of a start that failed, with the whole message of PostgreSQL or pg-boss. If `place` is undefined, the message may
 * hold parts of a connection string, so only its code is told.
 */
export function startError(thrown: unknown, place: string | undefined): Error {
  const { code } = (thrown ?? {}) as { code?: unknown };
  if (/^NIDUS_/.test(String(code))) return thrown as Error;
  const subject = place ?? "PostgreSQL at the given connection string";
  const hint = "percent-encode special characters in the user and the password";
  if (code === "ERR_INVALID_URL") {
    return new TypeError(`expected \`connectionString\` to be a PostgreSQL URL, got something else: ${hint}`);
  }
  const reason = place === undefined ? `${code ?? "an error"}: ${hint}` : messageOf(thrown);
  if (isUnreachable(thrown)) {
    const cause = place === undefined ? undefined : { cause: redactedError(thrown) };
    return new EngineUnavailableError(`${subject} is unreachable (${reason})`, cause);
  }
  const said = `${code} ${messageOf(thrown)}`;
  const [, meaning] = refusals.find(([pattern]) => pattern.test(said)) ?? [];
  const message = meaning === undefined ? `${subject}: ${reason}` : `${subject} ${meaning} (${reason})`;
  return Object.assign(new Error(message), code !== undefined && { code });
}
