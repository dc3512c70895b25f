import { asyncJob, JobError, job } from "@nidus/jobs-core";
import { ObservedJobRunner, type SettledJobContext } from "@nidus/jobs-observe";
import { describe, expect, test } from "vitest";
import { type PinoJobObserverOptions, pinoJobObserver } from "../src/index.ts";
import { captureLines, majors } from "./support/captured-lines.ts";
import { delivery, deliveryFields, strictRunner } from "./support/runner.ts";

const [DEBUG, INFO, WARN, ERROR] = [20, 30, 40, 50];

describe.each(majors)("with pino %s", (_major, pino) => {
  describe("the lines of a run", () => {
    test("are one of its start and one of its finish", async () => {
      const { logger, lines } = captureLines(pino);
      const runner = strictRunner(pinoJobObserver({ logger }));

      expect(runner.run(job("reindex", () => 7))).toBe(7);
      expect(await runner.runAsync(asyncJob("digest", async () => "sent"))).toBe("sent");

      const duration_ms = expect.any(Number);
      expect(lines()).toEqual([
        { level: DEBUG, msg: "job run started", job_name: "reindex", run_id: "run-1" },
        {
          ...{ level: INFO, msg: "job run succeeded", job_name: "reindex", run_id: "run-1" },
          ...{ status: "success", duration_ms },
        },
        { level: DEBUG, msg: "job run started", job_name: "digest", run_id: "run-2" },
        {
          ...{ level: INFO, msg: "job run succeeded", job_name: "digest", run_id: "run-2" },
          ...{ status: "success", duration_ms },
        },
      ]);
    });

    test("say how long it took, in milliseconds and to the microsecond", async () => {
      const { logger, lines } = captureLines(pino);
      let durationMs: number | undefined;
      const runner = strictRunner(pinoJobObserver({ logger }), {
        onJobFinished: (context) => {
          durationMs = context.durationMs;
        },
      });
      await runner.runAsync(asyncJob("digest", () => new Promise<void>((resolve) => setTimeout(resolve, 5))));
      const [, finish] = lines();
      expect(finish?.duration_ms).toBe(Number(durationMs?.toFixed(3)));
      expect(finish?.duration_ms).toBeGreaterThan(4);
    });

    test("describe the delivery if an engine runs the job", async () => {
      const { logger, lines } = captureLines(pino);
      const runner = strictRunner(pinoJobObserver({ logger }));
      await runner.runAsync(
        asyncJob("digest", () => {}),
        { delivery },
      );
      expect(lines()).toMatchObject([deliveryFields, deliveryFields]);
    });

    test("carry its attributes under one key, so that none replaces a field of the line", () => {
      const { logger, lines, written } = captureLines(pino);
      const hostile = JSON.parse(
        '{"__proto__":"p","constructor":"c","level":99,"time":0,"msg":"forged","run_id":"forged","err":"forged"}',
      );
      strictRunner(pinoJobObserver({ logger }))
        .context(hostile)
        .run(job("reindex", () => {}));

      for (const line of lines()) {
        expect(line).toMatchObject({ run_id: "run-1", msg: expect.stringMatching(/^job run/) });
        expect(JSON.stringify(line.attributes)).toBe(JSON.stringify(hostile));
      }
      expect(lines().map(({ level }) => level)).toEqual([DEBUG, INFO]);
      for (const line of written) expect(line.match(/"(msg|level|run_id)":/g)).toHaveLength(6);
    });

    test("carry at most 1,024 characters of an attribute", () => {
      const { logger, lines } = captureLines(pino);
      strictRunner(pinoJobObserver({ logger }))
        .context({ note: "n".repeat(100_000), id: "i".repeat(1_024), size: 7 })
        .run(job("reindex", () => {}));
      for (const { attributes } of lines()) {
        expect(attributes).toEqual({ note: `${"n".repeat(1_023)}…`, id: "i".repeat(1_024), size: 7 });
      }
    });

    test("allow redaction of attributes, and keep the run's own unchanged", () => {
      const { logger, lines } = captureLines(pino, { redact: ["attributes.email"] });
      const seen: unknown[] = [];
      strictRunner(
        { onJobFinished: ({ attributes }) => void seen.push(attributes) },
        pinoJobObserver({ logger }),
      )
        .context({ email: "a@example.org", tenant: "acme" })
        .run(job("reindex", () => {}));
      for (const line of lines()) expect(line.attributes).toEqual({ email: "[Redacted]", tenant: "acme" });
      expect(seen).toEqual([{ email: "a@example.org", tenant: "acme" }]);
    });

    test("are one line each, for any job name", () => {
      const { logger, lines, written } = captureLines(pino);
      const name = 'say "hi"\nand\r\u2028 \u0000 %s %d \\';
      strictRunner(pinoJobObserver({ logger })).run(job(name, () => {}));
      expect(lines().map((line) => line.job_name)).toEqual([name, name]);
      for (const line of written) expect(line.trimEnd()).not.toMatch(/[\n\r]/);
    });

    test("go to a child logger's destination, with its bindings", () => {
      const { logger, lines } = captureLines(pino);
      strictRunner(pinoJobObserver({ logger: logger.child({ component: "jobs" }) })).run(
        job("reindex", () => {}),
      );
      expect(lines()).toMatchObject([{ component: "jobs" }, { component: "jobs" }]);
    });
  });

  describe("a run that is cancelled", () => {
    test("is a warning without an error", async () => {
      const { logger, lines } = captureLines(pino);
      const abort = new AbortController();
      const waits = asyncJob("waits", async (signal) => {
        abort.abort();
        signal.throwIfAborted();
      });
      const running = strictRunner(pinoJobObserver({ logger })).runAsync(waits, { signal: abort.signal });
      await expect(running).rejects.toBe(abort.signal.reason);
      expect(lines()[1]).toMatchObject({ level: WARN, msg: "job run cancelled", status: "cancelled" });
      expect(lines()[1]).not.toHaveProperty("err");
    });
  });

  describe("stored jobs", () => {
    test("get a line when they are enqueued", () => {
      const { logger, lines } = captureLines(pino);
      strictRunner(pinoJobObserver({ logger })).enqueued({
        ...{ jobName: "digest", engine: "memory", queue: "mail", count: 3, correlationId: "order 7" },
        carrier: { traceparent: "00-…" },
      });
      expect(lines()).toEqual([
        {
          ...{ level: DEBUG, msg: "job enqueued", job_name: "digest", engine: "memory", queue: "mail" },
          ...{ count: 3, correlation_id: "order 7" },
        },
      ]);
    });

    test.each<[SettledJobContext["outcome"], level: number | undefined, message?: string]>([
      ["succeeded", undefined],
      ["retried", WARN, "job will be retried"],
      ["cancelled", WARN, "job cancelled"],
      ["dead-lettered", ERROR, "job dead-lettered"],
      ["lost", ERROR, "job lost"],
    ])("get a line when their delivery ends: %s", (outcome, level, msg) => {
      const { logger, lines } = captureLines(pino);
      const error = outcome === "succeeded" ? undefined : JobError.from(new RangeError("no"));
      strictRunner(pinoJobObserver({ logger })).settled({ jobName: "digest", delivery, outcome, error });
      if (level === undefined) return expect(lines()).toEqual([]);
      const [{ err, ...line } = {}] = lines();
      expect(line).toEqual({ level, msg, job_name: "digest", outcome, ...deliveryFields });
      expect(err !== undefined).toBe(outcome !== "cancelled");
      if (err !== undefined) expect(err).toMatchObject({ type: "RangeError", message: "no" });
    });
  });

  describe("levels", () => {
    test("that are disabled write nothing and make no run id, until they are enabled", () => {
      const { logger, lines } = captureLines(pino, { level: "warn" });
      let idsMade = 0;
      const runner = strictRunner(pinoJobObserver({ logger })).runIdGenerator(() => `run-${++idsMade}`);

      runner.run(job("reindex", () => {}));
      expect([lines().length, idsMade]).toEqual([0, 0]);
      logger.level = "info";
      runner.run(job("reindex", () => {}));
      expect(lines().map(({ msg }) => msg)).toEqual(["job run succeeded"]);
    });

    test("come from the options, may be the logger's own, and silent writes none", async () => {
      const customLevels = { notice: 35, alert: 70 };
      const { logger, lines } = captureLines(pino, {
        customLevels,
        useOnlyCustomLevels: true,
        level: "notice",
      });
      const levels = {
        startLevel: "silent",
        finishLevel: "notice",
        warningLevel: "notice",
        failureLevel: "alert",
      };
      const runner = strictRunner(pinoJobObserver({ logger, ...levels }));
      runner.run(job("reindex", () => {}));
      await expect(
        runner.runAsync(asyncJob("fails", () => Promise.reject(new Error("no")))),
      ).rejects.toThrow();
      runner.settled({ jobName: "fails", delivery, outcome: "retried", error: undefined });
      expect(lines().map(({ level, msg }) => [level, msg])).toEqual([
        [35, "job run succeeded"],
        [70, "job run failed"],
        [35, "job will be retried"],
      ]);
    });
  });

  test("a logger that throws does not affect jobs, and is reported", async () => {
    const { logger, write } = captureLines(pino);
    const broken = new Error("the disk is full");
    write.mockImplementation(() => {
      throw broken;
    });
    const reported: unknown[] = [];
    const runner = new ObservedJobRunner(pinoJobObserver({ logger }), {
      onObserverError: (error) => reported.push(error),
    });
    const failure = new Error("the job's own");
    expect(runner.run(job("reindex", () => 7))).toBe(7);
    await expect(runner.runAsync(asyncJob("fails", () => Promise.reject(failure)))).rejects.toBe(failure);
    expect(reported).toEqual([broken, broken, broken, broken]);
  });

  test.each<[string, object, RegExp]>([
    ["no logger", {}, /`logger`.*pino logger, got undefined/],
    ["a logger of another kind", { logger: console }, /`logger`.*pino logger, got /],
    ["an unknown level", { finishLevel: "notice" }, /`finishLevel`.*level of the logger, got "notice"/],
    ["a level that is a method", { startLevel: "child" }, /`startLevel`.*got "child"/],
    ["a level that every object has", { failureLevel: "toString" }, /`failureLevel`.*got "toString"/],
    ["a level of null", { startLevel: null }, /`startLevel`.*got null/],
    [
      "a recordErrorMessage that is no boolean",
      { recordErrorMessage: "no" },
      /`recordErrorMessage`.*got "no"/,
    ],
  ])("%s is refused, with what was expected and received", (name, given, message) => {
    const { logger } = captureLines(pino);
    const options = name.includes("logger") ? given : { logger, ...given };
    const make = (): unknown => pinoJobObserver(options as PinoJobObserverOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});
