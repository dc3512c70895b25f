import assert from "node:assert/strict";

/** The time limit for a flush or a shutdown, in milliseconds. */
const limitMs = 5_000;

/**
 * Waits for work that must end in time.
 *
 * @throws (rejects with) AssertionError if the work takes too long; the error of `work` if it rejects.
 */
export async function endsInTime(what: string, work: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  try {
    const isInTime = await Promise.race([work().then(() => true), late]);
    assert.ok(isInTime, `${what} took over ${limitMs} ms`);
  } finally {
    clearTimeout(timer);
  }
}
