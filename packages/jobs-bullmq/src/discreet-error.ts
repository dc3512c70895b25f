/** An error without the command that ioredis hangs on it: of AUTH, that has the password. The error itself is changed. */
export function discreet(error: unknown): unknown {
  if (typeof error === "object" && error !== null && "command" in error) delete error.command;
  return error;
}
