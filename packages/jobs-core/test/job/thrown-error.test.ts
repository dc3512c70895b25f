import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { cutText, isErrorLike, thrownErrorOf } from "../../src/adapter.ts";
import { JobError } from "../../src/index.ts";
import { hostileProxy } from "../support/hostile.ts";

class QuotaExceeded extends JobError {}

describe("thrownErrorOf", () => {
  it("returns the error that a JobError was made from, of any realm", () => {
    for (const thrown of [
      new RangeError("no"),
      new RangeError(),
      new DOMException("too late", "TimeoutError"),
      runInNewContext('new RangeError("no")') as Error,
    ]) {
      expect(thrownErrorOf(JobError.from(thrown))).toBe(thrown);
    }
  });

  it("returns a JobError that the job threw, also if it has a cause", () => {
    const cause = new RangeError("too many");
    for (const thrown of [new JobError("not now", { cause }), new QuotaExceeded("too many", { cause })]) {
      expect(thrownErrorOf(JobError.from(thrown))).toBe(thrown);
    }
  });

  it("returns the JobError of a value that is no error", () => {
    for (const thrown of ["no", undefined, { message: "no" }, hostileProxy()]) {
      const error = JobError.from(thrown);
      expect(thrownErrorOf(error)).toBe(error);
    }
  });
});

describe("isErrorLike", () => {
  it("accepts errors and whatever has a stack", () => {
    expect([new Error("no"), new DOMException("no"), { stack: "at a" }].map(isErrorLike)).toEqual(
      Array(3).fill(true),
    );
    expect([undefined, null, "no", { message: "no" }].map(isErrorLike)).toEqual(Array(4).fill(false));
  });

  it("refuses a value whose stack cannot be read", () => {
    const throwing = {
      get stack(): string {
        throw new Error("no stack for you");
      },
    };
    expect([hostileProxy(), throwing].map(isErrorLike)).toEqual([false, false]);
  });
});

describe("cutText", () => {
  it("keeps a text that fits, and ends a longer one with an ellipsis", () => {
    expect(cutText("abcd", 4)).toBe("abcd");
    expect(cutText("abcde", 4)).toBe("abc…");
    expect(cutText("ab😀de", 4)).toBe("ab…");
  });

  it("gives an empty text for a value that is not a string", () => {
    expect(cutText(undefined, 4)).toBe("");
    expect(cutText(12_345, 4)).toBe("");
  });
});
