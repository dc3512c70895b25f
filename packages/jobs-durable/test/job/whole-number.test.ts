import { requireInRange } from "@nidus/jobs-durable/backend";
import { describe, expect, it } from "vitest";

describe("requireInRange", () => {
  it.each([
    [1, 1, undefined],
    [7, 1, 7],
    [0, 0, 3],
    [Number.MAX_SAFE_INTEGER, 1, undefined],
  ])("returns %s, which is from %s to %s", (value, least, most) => {
    expect(requireInRange("`leaseMs`", value, least, most)).toBe(value);
  });

  it.each([
    [0, 1, undefined, "expected `leaseMs` to be a whole number from 1, got 0"],
    [8, 1, 7, "expected `leaseMs` to be a whole number from 1 to 7, got 8"],
    [1.5, 1, 7, "expected `leaseMs` to be a whole number from 1 to 7, got 1.5"],
    [Number.NaN, 1, undefined, "expected `leaseMs` to be a whole number from 1, got NaN"],
  ])("throws a RangeError for %s", (value, least, most, message) => {
    expect(() => requireInRange("`leaseMs`", value, least, most)).toThrow(new RangeError(message));
  });

  it("throws a TypeError for a value that is no number", () => {
    const message = 'expected `leaseMs` to be a whole number from 1, got "5"';
    expect(() => requireInRange("`leaseMs`", "5" as never, 1)).toThrow(new TypeError(message));
  });
});
