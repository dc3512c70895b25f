/** What sockets and DNS say of a server that does not answer. */
const networkCodes =
  /^(E(CONN(REFUSED|RESET|ABORTED)|HOST(UNREACH|DOWN)|NET(UNREACH|DOWN)|TIMEDOUT|PIPE|NOTFOUND|AI_AGAIN))$/;

/** PostgreSQL: shutting down, crashed or starting (57P), an idle session ended, too many connections, and all of class 08. */
const serverCodes = /^(57P0[1235]|25P03|53300|08...)$/;

/** What node-postgres says of connections that ended, and of those it has waited for too long. */
const driverWords =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** Tells whether an error says that PostgreSQL is unreachable. All other errors are PostgreSQL's own answers. */
export function isOutOfReach(error: unknown): boolean {
  const { code, message, syscall } = (error ?? {}) as Readonly<Record<string, unknown>>;
  return (
    networkCodes.test(String(code)) ||
    serverCodes.test(String(code)) ||
    // Such as ENOENT, if the socket's file is not there.
    syscall === "connect" ||
    driverWords.test(String(message))
  );
}

/** Finds an error's words, whole. Those of several addresses (`localhost`) are one after the other. */
export function wordsOf(error: unknown): string {
  const { message, code, errors } = (error ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof message === "string" && message !== "") return message;
  if (Array.isArray(errors) && errors.length > 0) return errors.map(wordsOf).join(", ");
  return String(code ?? error);
}
