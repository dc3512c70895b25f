/** The codes with which sockets and DNS say that no server answers. */
const connectionCodes =
  /^(E(CONN(REFUSED|RESET|ABORTED)|HOST(UNREACH|DOWN)|NETUNREACH|TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN))$/;

/** Tells whether an error says that a server is unreachable. */
export function isConnectionError(error: unknown): boolean {
  return connectionCodes.test(String((error as { code?: unknown } | null | undefined)?.code));
}
