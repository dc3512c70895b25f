/** Tells whether BullMQ says that a job is gone (-1), has no lock (-2), is not active (-3) or has the lock of another worker (-6). */
export function isLeaseLost(error: unknown): boolean {
  return [-1, -2, -3, -6].includes(codeOf(error));
}

/** Tells whether BullMQ says that a parent has children to wait for (-4), or children that failed (-9). */
export function hasOpenChildren(error: unknown): boolean {
  return [-4, -9].includes(codeOf(error));
}

function codeOf(error: unknown): number {
  const { code } = error as { readonly code?: unknown };
  return typeof code === "number" ? code : 0;
}

/** Tells whether a script failed at stored data, such as a key of another type. The same script would fail again. */
export function isRefusedScript(error: unknown): boolean {
  const text = String((error as { readonly message?: unknown }).message);
  return /^WRONGTYPE|user_script/.test(text) && !/\b(OOM|READONLY|NOPERM|MISCONF|NOREPLICAS)\b/.test(text);
}

/** Tells whether Redis does not know a script by its hash, as after `SCRIPT FLUSH`. */
export function isScriptLost(error: Error): boolean {
  return error.message.startsWith("NOSCRIPT");
}

const moves = ["DelayedError", "RateLimitError", "WaitingChildrenError", "WaitingError"];

/** Tells whether a processor threw an error that moves its job. BullMQ compares names, so that two copies of BullMQ agree. */
export function isMove(error: unknown): boolean {
  const { name, message } = Object(error) as Error;
  return moves.includes(name) || message === "bullmq:rateLimitExceeded";
}
