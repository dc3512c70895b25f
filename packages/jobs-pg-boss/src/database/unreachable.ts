import { isConnectionError } from "@nidus/jobs-durable/backend";

/** Codes of PostgreSQL: shutting down, crashed or starting (57P), an ended idle session, too many connections, and class 08. */
const serverCodes = /^(57P0[1235]|25P03|53300|08...)$/;

/** Messages of node-postgres about connections that ended or did not open in time. */
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** Tells whether an error says that PostgreSQL is unreachable. All other errors are PostgreSQL's own answers. */
export function isUnreachable(error: unknown): boolean {
  const { code, message, syscall } = (error ?? {}) as Readonly<Record<string, unknown>>;
  return (
    isConnectionError(error) ||
    serverCodes.test(String(code)) ||
    // Such as ENOENT, if the socket's file does not exist.
    syscall === "connect" ||
    driverMessages.test(String(message))
  );
}

/** Finds the whole message of an error. If several addresses failed (`localhost`), it joins their messages. */
export function messageOf(error: unknown): string {
  const { message, code, errors } = (error ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof message === "string" && message !== "") return message;
  if (Array.isArray(errors) && errors.length > 0) return errors.map(messageOf).join(", ");
  return String(code ?? error);
}
