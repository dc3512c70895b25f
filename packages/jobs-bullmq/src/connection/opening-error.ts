import { formatValue } from "@nidus/jobs-core/adapter";
import { EngineUnavailableError } from "@nidus/jobs-durable";
import { isPassing, isUnreachable } from "./unreachable.ts";

/** Errors of Redis or TLS that a repetition would not change, and their meaning. */
const refusals: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [/\b(NOAUTH|WRONGPASS|invalid (username-)?password)\b/i, "refuses the user or the password"],
  [/\bNOPERM\b/, "does not let its user do what BullMQ needs"],
  [
    /\b(SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY)/,
    "has a certificate of an unknown authority: pass its certificate as `connection.tls.ca`",
  ],
  [
    /\bERR_TLS_CERT_ALTNAME_INVALID\b/,
    "has a certificate for another host: pass the name in it as `connection.tls.servername`",
  ],
  [/\bCERT_(HAS_EXPIRED|NOT_YET_VALID)\b/, "has a certificate that is not valid at this time"],
  [
    /_ALERT_(CERTIFICATE_REQUIRED|UNKNOWN_CA|BAD_CERTIFICATE)\b/,
    "refuses the client's certificate: pass one that it trusts as `connection.tls.cert` and `connection.tls.key`",
  ],
  [
    /_ALERT_HANDSHAKE_FAILURE\b/,
    "ends the TLS handshake: if it asks for a client's certificate, pass `connection.tls.cert` and `connection.tls.key`",
  ],
];

/** Tells whether only a change of Redis or of the options can help against an error. */
export function isRefusal(error: unknown): boolean {
  return !EngineUnavailableError.isInstance(error) && !isUnreachable(error) && !isPassing(error);
}

/**
 * Returns the error with which opening an engine rejects. It names the server, unless `error` says enough by itself.
 *
 * @param error The error that ended the opening.
 * @param lastError The last error of the connection. If the time ran out, it says why.
 * @param isLoading Whether the time ran out and Redis says that it loads its data.
 */
export function openingError(
  error: unknown,
  lastError: unknown,
  address: string,
  isLoading: boolean,
): unknown {
  if (isLoading) {
    return new EngineUnavailableError(`Redis at ${address} is not ready (it loads its data)`, {
      cause: error,
    });
  }
  const last = lastOf(error, lastError);
  const { code } = (last ?? {}) as { readonly code?: unknown };
  for (const [pattern, meaning] of refusals) {
    if (pattern.test(`${code} ${last}`)) {
      return new Error(`Redis at ${address} ${meaning} (${formatValue(last)})`, { cause: error });
    }
  }
  if (EngineUnavailableError.isInstance(last) || isRefusal(last)) return error;
  const what = isPassing(last) ? "is not ready" : "is unreachable";
  return new EngineUnavailableError(`Redis at ${address} ${what} (${formatValue(last)})`, { cause: error });
}

/** Returns what the connection said, if the time ran out. */
function lastOf(error: unknown, lastError: unknown): unknown {
  return EngineUnavailableError.isInstance(error) ? (lastError ?? error) : error;
}

/**
 * Returns the error for a TLS connection that said nothing of its reason, with what to look at, or undefined for every other error.
 * A Redis without TLS waits for the end of a command. If Redis refuses a client's certificate, it closes the connection, and
 * with TLS 1.3 the client may hear of that alone.
 */
export function wordlessTlsError(
  error: unknown,
  lastError: unknown,
  address: string,
): EngineUnavailableError | undefined {
  const last = lastOf(error, lastError);
  let hint: string;
  if (EngineUnavailableError.isInstance(last)) {
    hint = "no answer to TLS: if this port has no TLS, connect with redis:// and without `connection.tls`";
  } else if (/\b(ECONNRESET|EPIPE)\b/.test(String(last))) {
    hint = `${last}: if it asks for a client's certificate, pass \`connection.tls.cert\` and \`connection.tls.key\``;
  } else return undefined;
  return new EngineUnavailableError(`Redis at ${address} is unreachable (${hint})`, { cause: error });
}

/** Returns an EngineUnavailableError for an error that says that Redis does not answer yet, and every other error as it is. */
export function notReadyError(error: unknown, where: string): unknown {
  if (!isPassing(error)) return error;
  return new EngineUnavailableError(`${where} is not ready (${formatValue(error)})`, { cause: error });
}
