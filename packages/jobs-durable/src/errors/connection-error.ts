/** The codes with which sockets and DNS say that no server answers. */
const connectionCodes =
  /^(E(CONN(REFUSED|RESET|ABORTED)|HOST(UNREACH|DOWN)|NET(UNREACH|DOWN)|TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN))$/;

/** Tells whether an error has the code of a failed connection, such as ECONNREFUSED. */
export function isConnectionError(error: unknown): boolean {
  return connectionCodes.test(String((error as { code?: unknown } | null | undefined)?.code));
}
