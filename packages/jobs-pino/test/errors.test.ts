import { runInNewContext } from "node:vm";
import { asyncJob, JobError, job } from "@nidus/jobs-core";
import { describe, expect, test } from "vitest";
import { pinoJobObserver } from "../src/index.ts";
import { captureLines, type Line, majors } from "./support/captured-lines.ts";
import { strictRunner } from "./support/runner.ts";

/** Like an error of the package verror. */
class VError extends Error {
  constructor(message: string, cause: () => unknown) {
    super(message);
    Object.defineProperty(this, "cause", { value: cause });
  }
}

class NoSuchUserError extends RangeError {
  readonly secret = "a@example.org";
}

describe.each(majors)("the line of a failure, with pino %s", (_major, pino) => {
  /** Returns the line of a run whose job threw `value`. The job's own error comes out unchanged. */
  async function lineOf(
    value: unknown,
    options: { recordErrorMessage?: boolean; maxErrorLength?: number } = {},
  ): Promise<Line> {
    const { logger, lines } = captureLines(pino);
    const runner = strictRunner(pinoJobObserver({ logger, ...options }));
    const fails = asyncJob("fails", async () => {
      throw value;
    });
    const thrown = await runner.runAsync(fails).catch((error: unknown) => ({ error }));
    expect(Object.is((thrown as { error: unknown }).error, value)).toBe(true);
    expect(lines()).toHaveLength(2);
    expect(lines()[1]).toMatchObject({ level: 50, msg: "job run failed", status: "failure" });
    return lines()[1] as Line;
  }

  test("has the thrown error as pino serialises it, with its causes", async () => {
    const error = new NoSuchUserError("no such user", { cause: new Error("connection reset") });
    const { err } = await lineOf(error);
    expect(err).toMatchObject({ type: "NoSuchUserError", message: "no such user: connection reset" });
    expect((err as Line).stack).toMatch(
      /^RangeError: no such user\n[\s\S]*\ncaused by: Error: connection reset/,
    );
  });

  test("has the JobError that the job threw itself", async () => {
    const { err } = await lineOf(new JobError("not now", { cause: new RangeError("too many") }));
    expect(err).toMatchObject({ type: "JobError", message: "not now: too many", code: "NIDUS_JOB_FAILED" });
  });

  test("has a thrown error without a message", async () => {
    expect((await lineOf(new RangeError())).err).toMatchObject({ type: "RangeError", message: "" });
  });

  test("has a JobError for a value that is no error", async () => {
    expect((await lineOf("text")).err).toMatchObject({ type: "JobError", message: "text" });
    expect((await lineOf(undefined)).err).toMatchObject({ type: "JobError" });
  });

  test("of a sync job is the same", () => {
    const { logger, lines } = captureLines(pino);
    const fails = job("fails", () => {
      throw new TypeError("no");
    });
    expect(() => strictRunner(pinoJobObserver({ logger })).run(fails)).toThrow("no");
    expect(lines()[1]).toMatchObject({ level: 50, err: { type: "TypeError", message: "no" } });
  });

  test("has only the type if messages are not recorded", async () => {
    const error = new NoSuchUserError("a@example.org", { cause: new Error("a@example.org") });
    const line = await lineOf(error, { recordErrorMessage: false });
    expect(line.err).toEqual({ type: "NoSuchUserError" });
    expect(JSON.stringify(line)).not.toContain("example.org");
    expect((await lineOf("a@example.org", { recordErrorMessage: false })).err).toEqual({ type: "JobError" });
  });

  test("has only the type if the error cannot be serialised", async () => {
    const throwing = (): never => {
      throw new Error("a trap");
    };
    const unreadable = new Proxy({}, { get: throwing, getPrototypeOf: throwing });
    const withGetter = Object.defineProperty(new RangeError("no"), "detail", {
      get: throwing,
      enumerable: true,
    });
    expect((await lineOf(Object.freeze(new RangeError("no")))).err).toEqual({ type: "RangeError" });
    expect((await lineOf(new VError("no", throwing))).err).toEqual({ type: "VError" });
    expect((await lineOf(withGetter)).err).toEqual({ type: "RangeError" });
    expect((await lineOf(unreadable)).err).toEqual({ type: "JobError" });
  });

  describe("maxErrorLength", () => {
    const long = (letter: string): string => letter.repeat(100_000);
    const textsOf = (line: Line): string[] => Object.values(line.err as Record<string, string>);

    test.each<[what: string, thrown: unknown]>([
      ["a message", new RangeError(long("m"))],
      ["a text", long("m")],
      ["a name", Object.assign(new RangeError(long("m")), { name: long("n"), detail: long("d") })],
      ["a cause", new Error("short", { cause: new Error(long("m")) })],
      ["a cause that is a plain object", new Error("short", { cause: { message: long("m") } })],
      ["a cause of a cause", new Error("short", { cause: { message: "", cause: new Error(long("m")) } })],
      ["a cause that a method returns", new VError("short", () => new Error(long("m")))],
      ["an aggregated object", new AggregateError([{ message: long("m") }], "short")],
      ["an aggregated error", new AggregateError([new Error("short"), new Error(long("m"))], "short")],
      ["a stack", Object.assign(new Error("short"), { stack: long("s") })],
      ["a DOMException", new DOMException(long("m"), "TimeoutError")],
    ])("cuts %s", async (_what, thrown) => {
      const line = await lineOf(thrown);
      expect(Object.keys(line.err as object)).toEqual(["type", "message", "stack"]);
      for (const text of textsOf(line)) expect(text.length).toBeLessThanOrEqual(4096);
      for (const text of textsOf(await lineOf(thrown, { maxErrorLength: 10 })))
        expect(text.length).toBeLessThanOrEqual(10);
    });

    test("bounds many errors, endless causes and circles", async () => {
      const circle = new Error("circle");
      circle.cause = circle;
      const many = new AggregateError(
        Array.from({ length: 10_000 }, () => new Error("one")),
        "many",
      );
      const endlessCause = (): Error => new VError("endless", endlessCause);
      for (const thrown of [circle, many, new VError("endless", endlessCause)]) {
        const { err } = await lineOf(thrown);
        expect(err).toMatchObject({ type: thrown.constructor.name, message: thrown.message });
        expect(JSON.stringify(err).length).toBeLessThan(3 * 4096);
      }
    });

    test("keeps the type, cuts between characters and leaves shorter texts", async () => {
      const { err } = await lineOf(new NoSuchUserError(`x${"😀".repeat(5_000)}`), { maxErrorLength: 4096 });
      expect(err).toMatchObject({ type: "NoSuchUserError", message: `x${"😀".repeat(2047)}…` });
      expect(await lineOf(new NoSuchUserError("no"), { maxErrorLength: 100_000 })).toMatchObject({
        err: { secret: "a@example.org" },
      });
    });

    test.each([0, 1.5, -1, Number.NaN, "10"])("refuses %j", (maxErrorLength) => {
      const make = (): unknown =>
        pinoJobObserver({ logger: captureLines(pino).logger, maxErrorLength } as never);
      expect(make).toThrow(/`maxErrorLength`/);
    });
  });

  test("of another realm has its own type, message and stack", async () => {
    const error = runInNewContext('new RangeError("out of paper")') as Error;
    expect((await lineOf(error)).err).toEqual({
      type: "RangeError",
      message: "out of paper",
      stack: error.stack,
    });
  });
});
