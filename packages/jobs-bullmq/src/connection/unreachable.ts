import { isConnectionError } from "@nidus/jobs-durable/backend";

/** The words of ioredis and BullMQ for connections that ended or cannot be made. */
const words =
  /^(Connection is closed|Reached the max retries|Stream isn't writeable|Cluster isn't ready|Cluster is ended|None of startup nodes|Failed to refresh slots|All sentinels are unreachable|Command timed out|Command aborted due to connection close|Socket timeout|BullMQ: cluster reconnect|connect ETIMEDOUT)/;

/** Tells whether an error says that Redis is unreachable. */
export function isUnreachable(error: unknown): boolean {
  const { message, code, syscall } = (error ?? {}) as Record<string, unknown>;
  // No server has made the socket of this path yet.
  const isPathMissing = code === "ENOENT" && syscall === "connect";
  return isPathMissing || isConnectionError(error) || words.test(String(message));
}

/** Tells whether Redis says that it cannot answer now, but may answer soon. */
export function isPassing(error: unknown): boolean {
  return /\b(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/.test(String(error));
}

/** Tells ioredis to connect again and to repeat the command: a primary that was demoted refuses to write. */
export function reconnectIfReadonly(error: { readonly message: string }): 2 | false {
  return /(^|-)READONLY\b/.test(error.message) && 2;
}
