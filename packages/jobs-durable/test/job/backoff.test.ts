import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffFrom, backoffMs, requireBackoff } from "../../src/job/backoff.ts";

const backoffs = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }))
  .map(([a, b]) => ({ baseMs: Math.min(a, b), maxMs: Math.max(a, b) }));
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const attempts = fc.integer({ min: 1, max: 1_000_000 });

describe("backoffMs", () => {
  it("is a whole number between half of the full wait and all of it, and never above the maximum", () => {
    fc.assert(
      fc.property(backoffs, attempts, randoms, (backoff, attempt, random) => {
        const waitMs = backoffMs(backoff, attempt, random);
        const fullMs = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt - 1, 60));
        expect(Number.isSafeInteger(waitMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(fullMs / 2);
        expect(waitMs).toBeLessThanOrEqual(Math.min(Math.ceil(fullMs), backoff.maxMs));
      }),
    );
  });

  it("does not shrink from attempt to attempt, given the same chance", () => {
    fc.assert(
      fc.property(backoffs, attempts, randoms, (backoff, attempt, random) => {
        expect(backoffMs(backoff, attempt + 1, random)).toBeGreaterThanOrEqual(
          backoffMs(backoff, attempt, random),
        );
      }),
    );
  });

  it("doubles until the maximum", () => {
    const backoff = { baseMs: 100, maxMs: 1_000 };
    expect([1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(backoff, attempt, 0))).toEqual([
      50, 100, 200, 400, 500, 500,
    ]);
  });

  it("reaches its maximum however small its base is", () => {
    expect(backoffMs({ baseMs: 1, maxMs: 2 ** 31 - 1 }, 1_000, 1)).toBe(2 ** 31 - 1);
  });

  it("parts jobs that failed together", () => {
    const waits = new Set(Array.from({ length: 50 }, () => backoffMs({ baseMs: 1e6, maxMs: 1e6 }, 1)));
    expect(waits.size).toBeGreaterThan(25);
  });
});

describe("a backoff", () => {
  it("may be the same wait after each attempt", () => {
    expect([1, 2, 99].map((attempt) => backoffMs({ fixedMs: 5 }, attempt))).toEqual([5, 5, 5]);
    expect(requireBackoff({ fixedMs: 0 })).toEqual({ fixedMs: 0 });
  });

  it("that was stored is read back, or left out if it is none", () => {
    expect(backoffFrom({ fixedMs: 5 })).toEqual({ fixedMs: 5 });
    expect(backoffFrom({ baseMs: 1, maxMs: 2 })).toEqual({ baseMs: 1, maxMs: 2 });
    for (const stored of [
      null,
      5,
      "soon",
      {},
      { fixedMs: "5" },
      { baseMs: 2, maxMs: 1 },
      { type: "fixed", delay: 5 },
    ]) {
      expect(backoffFrom(stored)).toBeUndefined();
    }
  });
});
