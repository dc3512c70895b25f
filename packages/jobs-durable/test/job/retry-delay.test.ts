import { JobError } from "@nidus/jobs-core";
import { describe, expect, it } from "vitest";
import { retryDelayMs } from "../../src/job/backoff.ts";

const failure = new JobError("no");

/** Asks for a delay. Returns it, and the errors that `onError` heard of. */
function ask(returned: unknown, attempt = 1): [delayMs: number, heard: unknown[]] {
  const heard: unknown[] = [];
  const delayMs = retryDelayMs(
    () => returned as number,
    attempt,
    failure,
    (error) => void heard.push(error),
  );
  return [delayMs, heard];
}

describe("the delay of a retry", () => {
  it("is what the function of the job returns for the attempt and its error", () => {
    const asked: unknown[] = [];
    const backoff = (...given: unknown[]): number => asked.push(given) * 100;
    expect(retryDelayMs(backoff, 3, failure, () => {})).toBe(100);
    expect(asked).toEqual([[3, failure]]);
  });

  it.each([
    [0, 0],
    [1.2, 2],
    [2 ** 40, 2 ** 31 - 1],
    [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
  ])("of %d becomes %d ms", (returned, delayMs) => {
    expect(ask(returned)).toEqual([delayMs, []]);
  });

  it.each([[-1], [Number.NaN], [undefined], ["5"], [5n], [Promise.resolve(5)], [{}]])(
    "is the default one if the function returns %o, and `onError` hears of it",
    (returned) => {
      const [delayMs, heard] = ask(returned);
      expect(delayMs).toBeGreaterThanOrEqual(125);
      expect(delayMs).toBeLessThanOrEqual(250);
      expect(heard.map(String)).toEqual([
        expect.stringContaining("expected the result of `backoff` to be a number of milliseconds from 0"),
      ]);
    },
  );

  it("is the default one if the function throws, and `onError` hears of it", () => {
    const heard: unknown[] = [];
    const thrown = new Error("a bug");
    const backoff = (): number => {
      throw thrown;
    };
    const delayMs = retryDelayMs(backoff, 2, failure, (error) => void heard.push(error));
    expect(delayMs).toBeGreaterThanOrEqual(250);
    expect(heard).toEqual([thrown]);
  });

  it("leaves no rejected promise behind", async () => {
    const [, heard] = ask(Promise.reject(new Error("async")));
    expect(heard).toHaveLength(1);
    await new Promise((resolve) => setImmediate(resolve));
  });
});
