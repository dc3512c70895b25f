import { describe, expect, test } from "vitest";
import { development, production } from "../src/index.ts";
import { adapter } from "./support/adapters.ts";

describe("wrong arguments", () => {
  const facade = production("users-api");
  const wrong: [string, () => unknown, RegExp][] = [
    [
      "no service name",
      () => production(undefined as never),
      /service's name.*non-empty string, got undefined/,
    ],
    ["an empty service name", () => production(""), /service's name.*got ""/],
    ["an empty version", () => facade.version(""), /version.*non-empty string, got ""/],
    ["a version that is a number", () => facade.version(1.4 as never), /version.*got 1\.4/],
    ["an empty environment", () => facade.environment(""), /environment.*got ""/],
    ["an environment of null", () => facade.environment(null as never), /environment.*got/],
    ["an adapter of undefined", () => facade.with(undefined as never), /adapter/],
    ["an adapter without an observer", () => facade.with({ name: "audit" } as never), /`jobObserver`/],
    [
      "metrics that are no method",
      () => facade.with(adapter("audit", { metrics: "a 1" as never })),
      /`metrics` of the adapter "audit" to be a function, got "a 1"/,
    ],
    [
      "a flush that is no method",
      () => facade.with(adapter("audit", { forceFlush: 7 as never })),
      /`forceFlush` of the adapter "audit" to be a function, got 7/,
    ],
    [
      "a shutdown of null",
      () => facade.with(adapter("audit", { shutdown: null as never })),
      /`shutdown` of the adapter "audit" to be a function, got null/,
    ],
    [
      "a pipeline without a tracer",
      () => facade.otel({ forceFlush() {}, shutdown() {} } as never),
      /first argument of `otel` to be a pipeline with `tracer`/,
    ],
    [
      "a pipeline that cannot be shut down",
      () => facade.otel({ forceFlush() {}, tracer: { startSpan() {} } } as never),
      /first argument of `otel` to be a pipeline with.*`shutdown`/,
    ],
    ["an adapter without a name", () => facade.with(adapter("")), /adapter's `name`.*got ""/],
  ];

  test.each(wrong)("such as %s are refused at the call, with a TypeError", (_case, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  test("of steps are refused by name at the step", () => {
    expect(() => facade.prometheus({ maxserie: 1 } as never)).toThrow(/"maxserie".*`maxSeries`/);
    expect(() => facade.prometheus({ maxSeries: 0 })).toThrow(/`maxSeries`.*got 0/);
    expect(() => facade.otel({ propagate: "link" } as never)).toThrow(/"propagate".*`propagation`/);
    expect(() => facade.otel({ propagation: "links" as never })).toThrow(/`propagation`.*"links"/);
    const pipeline = (): never => {
      throw new Error("asked for a pipeline");
    };
    expect(() => facade.otel(pipeline, { propagate: "link" } as never)).toThrow(/"propagate"/);
    expect(() => facade.otel({} as never, { propagation: "none" })).toThrow(/expected.*to be a pipeline/);
    expect(() => development("x", { streem: process.stderr } as never)).toThrow(/"streem".*`stream`/);
  });

  test.each<[unknown, RegExp]>([
    [undefined, /got undefined/],
    [() => {}, /got/],
    [7, /got 7/],
    [Promise.resolve({}), /got \[object Promise\]/],
  ])(
    "of adapters, such as the observer %o, are refused with a TypeError that names the adapter",
    (observer, got) => {
      const use = (): unknown =>
        facade.with(adapter("audit", { jobObserver: () => observer as never })).jobRunner();
      expect(use).toThrow(TypeError);
      expect(use).toThrow(/`jobObserver\(\)` of the adapter "audit" to be an observer/);
      expect(use).toThrow(got);
    },
  );

  test("of observers name the adapter and the hook", () => {
    const wrong = adapter("audit", { jobObserver: () => ({ onJobStarted: 5 as never }) });
    const use = (): unknown => facade.with(wrong).jobRunner();
    expect(use).toThrow(TypeError);
    expect(use).toThrow(/the adapter "audit" is no observer: expected onJobStarted to be a function, got 5/);
  });

  test.each([5, undefined, null, Buffer.from("a 1")])(
    "of metrics, such as %o, name the adapter",
    async (text) => {
      const wrong = adapter("audit", { metrics: () => text as never });
      for (const observability of [facade.with(wrong), facade.prometheus().with(wrong)]) {
        await expect(observability.metrics()).rejects.toThrow(TypeError);
        await expect(observability.metrics()).rejects.toThrow(
          `\`metrics()\` of the adapter "audit" to be a string, got ${text}`,
        );
      }
    },
  );

  test("of content types name the adapter", () => {
    const wrong = adapter("audit", { metrics: () => "a 1\n", contentType: 7 as never });
    expect(() => facade.with(wrong).contentType).toThrow(
      '`contentType` of the adapter "audit" to be a non-empty string, got 7',
    );
  });

  test.each<[unknown, RegExp]>([
    [undefined, /got undefined/],
    [{ tracer: {} }, /got \[object Object\]/],
    [Promise.resolve(), /got \[object Promise\]/],
  ])("of functions that make a pipeline, such as a result of %o, say what is expected", (made, got) => {
    const use = (): unknown => facade.otel(() => made as never).jobRunner();
    expect(use).toThrow(TypeError);
    expect(use).toThrow(/the function that `otel` was given to be a pipeline with `tracer`/);
    expect(use).toThrow(got);
  });

  test("of declared jobs reach the metrics", async () => {
    const text = await facade.prometheus({ jobs: ["send_digest"] }).metrics();
    expect(text).toContain('nidus_jobs_started_total{job_name="send_digest"} 0');
  });

  test.each([
    ["null", null],
    ["a string", "http://localhost:4318"],
    ["a number", 4318],
  ])("of otel(), such as %s, are refused with a TypeError that says what is expected", (_case, given) => {
    const put = (): unknown => facade.otel(given as never);
    expect(put).toThrow(TypeError);
    expect(put).toThrow(/expected/);
  });
});
