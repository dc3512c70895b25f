import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attemptErrorsFrom, errorsAfter } from "../../src/backend.ts";
import { fetched } from "../support/scripted-backend.ts";

const failed = (error: string) => ({ type: "dead-lettered", error }) as const;

describe("errorsAfter", () => {
  it("puts the newest first, and forgets the eleventh", () => {
    let errors = attemptErrorsFrom(undefined);
    for (let attempt = 1; attempt <= 12; attempt++) {
      errors = errorsAfter(errors, fetched("a", { attempt, maxAttempts: 20 }), failed(`no ${attempt}`)) ?? [];
    }
    expect(errors.map(({ attempt, message }) => [attempt, message])).toEqual(
      [12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((attempt) => [attempt, `no ${attempt}`]),
    );
  });

  it("cuts a message, and leaves no half of a character", () => {
    const [error] = errorsAfter([], fetched("a"), failed(`${"x".repeat(999)}\u{1f600}`)) ?? [];
    expect(error?.message).toBe(`${"x".repeat(999)}\ufffd`);
  });

  it("says of a delivery above the limit that it is about the last attempt", () => {
    expect(errorsAfter([], fetched("a", { attempt: 6, maxAttempts: 5 }), failed("given up"))).toEqual([
      { attempt: 5, message: "given up", at: expect.any(Date) },
    ]);
  });

  it("changes nothing for an outcome without an error", () => {
    for (const outcome of [
      { type: "succeeded" } as const,
      { type: "cancelled" } as const,
      { type: "released" } as const,
      { type: "snoozed", delayMs: 5 } as const,
    ]) {
      expect(errorsAfter([], fetched("a"), outcome)).toBeUndefined();
    }
  });
});

describe("attemptErrorsFrom", () => {
  it("gives back what JSON has made of errors", () => {
    const errors = errorsAfter([], fetched("a"), failed("no")) ?? [];
    expect(attemptErrorsFrom(JSON.parse(JSON.stringify(errors)))).toEqual(errors);
  });

  it("makes well-formed errors of anything at all", () => {
    const almost = fc.array(fc.record({ attempt: fc.anything(), message: fc.anything(), at: fc.anything() }));
    fc.assert(
      fc.property(fc.oneof(fc.anything(), almost), (stored) => {
        for (const { attempt, message, at } of attemptErrorsFrom(stored)) {
          expect(Number.isSafeInteger(attempt)).toBe(true);
          expect(message.length).toBeLessThanOrEqual(1_000);
          expect(Number.isNaN(at.getTime())).toBe(false);
        }
      }),
    );
  });
});
