/**
 * Runs `body` with a signal that is also aborted, with a TimeoutError, when its time is up. It takes as long as `body` does:
 * what does not look at its signal keeps its slot.
 */
export async function timeLimited<T>(
  timeoutMs: number,
  signal: AbortSignal,
  body: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DOMException(`the job took longer than ${timeoutMs} ms`, "TimeoutError")),
    timeoutMs,
  );
  try {
    return await body(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
