import assert from "node:assert/strict";

/** What is to flush or to end has so long, in milliseconds. */
const limitMs = 5_000;

/**
 * Waits for something that has to end in bounded time.
 *
 * @throws (rejects with) AssertionError if it takes too long; whatever `work` throws.
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
