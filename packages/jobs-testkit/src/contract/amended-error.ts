/** Appends a text to the message of an error, which keeps its class, its stack and what it compares. */
export function amended(error: unknown, text: string): unknown {
  if (!(error instanceof Error)) return new Error(`${String(error)}${text}`, { cause: error });
  const { message, stack } = error;
  try {
    error.message = `${message}${text}`;
    // Reporters print the stack, which has a copy of the message.
    if (stack?.includes(message)) error.stack = stack.replace(message, () => error.message);
    return error;
  } catch {
    return new Error(`${message}${text}`, { cause: error });
  }
}
