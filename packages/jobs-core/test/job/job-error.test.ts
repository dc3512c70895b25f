import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { JobError } from "../../src/index.ts";
import { hostileProxy, revokedProxy } from "../support/hostile.ts";

describe("JobError.from", () => {
  it("keeps the message of an error and carries the error as the cause", () => {
    const thrown = new TypeError("no such user");
    const error = JobError.from(thrown);
    expect(error).toBeInstanceOf(JobError);
    expect(error.message).toBe("no such user");
    expect(error.cause).toBe(thrown);
    expect(error.code).toBe("NIDUS_JOB_FAILED");
    expect(error.name).toBe("JobError");
    expect(String(error)).toBe("JobError: no such user");
  });

  it("returns a JobError and its subclasses unchanged", () => {
    class Special extends JobError {
      override readonly code = "SPECIAL";
    }
    for (const error of [new JobError("a"), new Special("b")]) expect(JobError.from(error)).toBe(error);
  });

  it("gives one JobError per thrown object", () => {
    const [thrown, frozen] = [new Error("x"), Object.freeze({ message: "x" })];
    for (const object of [thrown, frozen, () => {}, hostileProxy()]) {
      expect(JobError.from(object)).toBe(JobError.from(object));
    }
    expect(JobError.from(thrown)).not.toBe(JobError.from(new Error("x")));
  });

  it("does not shorten the stacks of other errors", () => {
    const { stackTraceLimit } = Error;
    expect(JobError.from(new Error("x")).stack).toBe("JobError: x");
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  it("treats errors of other realms like its own", () => {
    const thrown = runInNewContext("new TypeError('elsewhere')");
    const error = JobError.from(thrown);
    expect([error.message, error.cause]).toEqual(["elsewhere", thrown]);
    expect(JobError.from(thrown)).toBe(error);
  });

  it.each([
    ["a string", "out of paper", "out of paper"],
    ["an object with a message", { message: "from another library" }, "from another library"],
    ["undefined", undefined, "the job threw undefined"],
    ["null", null, "the job threw null"],
    ["a number", 42, "the job threw 42"],
    ["a bigint", 42n, "the job threw 42"],
    ["a symbol", Symbol("s"), "the job threw Symbol(s)"],
    ["an empty string", "", 'the job threw ""'],
    ["an error without a message", new RangeError(), "the job threw RangeError"],
    ["an object without a prototype", Object.create(null), "the job threw something"],
    ["an array", [1, 2], "the job threw 1,2"],
    ["a function", function handler() {}, "the job threw function handler() {}"],
  ])("says what was thrown: %s", (_, thrown, message) => {
    const error = JobError.from(thrown);
    expect(error.message).toBe(message);
    expect(error.cause).toBe(thrown);
    expect("cause" in error).toBe(true);
  });

  it("accepts values that throw when they are read", () => {
    const withGetter = {
      get message(): string {
        throw new Error("not yours");
      },
    };
    const thrown = [
      hostileProxy(),
      hostileProxy(new Error("x")),
      hostileProxy(new JobError("x")),
      revokedProxy(),
      withGetter,
    ];
    for (const value of thrown) {
      const error = JobError.from(value);
      expect(error.message).not.toBe("");
      expect(Object.is(error.cause, value)).toBe(true);
    }
  });

  it("makes a usable JobError of any value", () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (thrown) => {
          const error = JobError.from(thrown);
          expect(error.message.length).toBeGreaterThan(0);
          expect(Object.is(error.cause, thrown)).toBe(true);
        },
      ),
    );
  });
});

describe("JobError.isInstance", () => {
  it("recognises errors of another copy of the package, and nothing else", async () => {
    vi.resetModules();
    const copy = await import("../../src/job/job-error.ts");
    expect(copy.JobError).not.toBe(JobError);
    expect(JobError.isInstance(new copy.JobError("x"))).toBe(true);
    expect(copy.JobError.from(new JobError("x"))).toBeInstanceOf(JobError);
    class Special extends copy.JobError {
      override readonly code = "SPECIAL";
    }
    expect(JobError.isInstance(new Special("x"))).toBe(true);
    const thrown = new Error("x");
    expect(copy.JobError.from(thrown)).toBe(JobError.from(thrown));
    for (const other of [
      new Error("x"),
      { code: "NIDUS_JOB_FAILED" },
      undefined,
      "x",
      hostileProxy(),
      revokedProxy(),
    ]) {
      expect(JobError.isInstance(other)).toBe(false);
    }
  });

  it("is not fooled by a proxy that claims to have every property", () => {
    expect(JobError.isInstance(new Proxy({}, { get: () => true, has: () => true }))).toBe(false);
    expect(JobError.isInstance(new Proxy(new Error("x"), { get: () => true, has: () => true }))).toBe(false);
  });
});

describe("JSON.stringify of a JobError", () => {
  it("has its name, message and code, but no stack or cause", () => {
    class Special extends JobError {
      override readonly code = "SPECIAL";
    }
    const text = JSON.stringify([JobError.from(new Error("no such user")), new Special("b")]);
    expect(JSON.parse(text)).toEqual([
      { name: "JobError", message: "no such user", code: "NIDUS_JOB_FAILED" },
      { name: "JobError", message: "b", code: "SPECIAL" },
    ]);
  });
});
