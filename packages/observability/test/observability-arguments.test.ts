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
