import { JobError } from "@nidus/jobs-core";
import { describe, expect, it } from "vitest";
import {
  EngineUnavailableError,
  EnqueuedInPartError,
  NoResultError,
  PayloadError,
  PermanentJobError,
  UnsupportedError,
} from "../../src/index.ts";

describe.each([
  [PermanentJobError, "PermanentJobError", "NIDUS_JOB_FAILED_PERMANENTLY", JobError],
  [PayloadError, "PayloadError", "NIDUS_PAYLOAD_REFUSED", TypeError],
  [UnsupportedError, "UnsupportedError", "NIDUS_UNSUPPORTED", Error],
  [EngineUnavailableError, "EngineUnavailableError", "NIDUS_ENGINE_UNAVAILABLE", Error],
])("%o", (ErrorClass, name, code, Parent) => {
  it("has a stable name and code, a cause, and its parent's kind", () => {
    const cause = new Error("why");
    const error = new ErrorClass("what", { cause });
    expect({ ...error, name: error.name, message: error.message, cause: error.cause }).toMatchObject({
      name,
      code,
      message: "what",
      cause,
    });
    expect(error).toBeInstanceOf(Parent);
    expect(String(error)).toBe(`${name}: what`);
  });

  it("is recognised across copies of the package, and nothing else is", () => {
    expect(ErrorClass.isInstance(new ErrorClass("x"))).toBe(true);
    expect(ErrorClass.isInstance(Object.assign(new Error("x"), { code }))).toBe(true);
    expect(ErrorClass.isInstance(new JobError("x"))).toBe(false);
    expect(ErrorClass.isInstance({ code })).toBe(false);
    expect(ErrorClass.isInstance(undefined)).toBe(false);
    const hostile = Object.defineProperty(new Error("x"), "code", {
      get() {
        throw new Error("no");
      },
    });
    expect(ErrorClass.isInstance(hostile)).toBe(false);
  });
});

describe("PermanentJobError", () => {
  it("is a JobError to those who only know these", () => {
    const error = new PermanentJobError("gone");
    expect(JobError.isInstance(error)).toBe(true);
    expect(JobError.from(error)).toBe(error);
  });
});

describe("NoResultError", () => {
  it("says why, and shows the beginning of an id of any length", () => {
    expect(new NoResultError("a", "unknown").message).toBe(
      'there is no job with the id "a", or it is no longer retained',
    );
    expect(new NoResultError("a", "cancelled").message).toBe('the job "a" was cancelled');
    for (const why of ["unknown", "cancelled"] as const) {
      const { message } = new NoResultError(`\u0000${"x".repeat(100_000)}`, why);
      expect(message).toContain("\\u0000xxx");
      expect(message.length).toBeLessThan(200);
    }
  });
});

describe("EnqueuedInPartError", () => {
  it("counts what was stored, and is recognised across copies of the package", () => {
    const job = { id: "a", isDuplicate: false };
    const error = new EnqueuedInPartError([job, undefined], "no space");
    expect(error).toMatchObject({
      name: "EnqueuedInPartError",
      message: "1 of 2 jobs were stored, then: no space",
    });
    expect(error.jobs).toEqual([job, undefined]);
    expect(EnqueuedInPartError.isInstance(error)).toBe(true);
    expect(EnqueuedInPartError.isInstance(new Error("x"))).toBe(false);
  });
});
