import { describe, expect, test } from "vitest";
import { definePreset, type Observability, production } from "../src/index.ts";
import { adapter, reindex } from "./support/adapters.ts";

/** What a company publishes: our metrics with its own limits, and an adapter of its own. */
const acmePreset = definePreset("acme", (observability) =>
  observability.prometheus({ prefix: "acme_" }).with(adapter("audit", { metrics: () => "audits 1\n" })),
);
const acmeObservability = (serviceName: string): Observability => production(serviceName).with(acmePreset);

describe("a preset", () => {
  test("composes our adapters and theirs, behind one function", async () => {
    const observability = acmeObservability("users-api");
    observability.jobRunner().run(reindex);
    const metrics = await observability.metrics();
    expect(metrics).toContain('acme_jobs_started_total{job_name="reindex"} 1');
    expect(metrics).toContain("audits 1");
  });

  test("is applied where it stands: what comes later replaces its steps", async () => {
    const own = acmeObservability("users-api").prometheus({ prefix: "mine_" });
    own.jobRunner().run(reindex);
    expect(await own.metrics()).toContain("mine_jobs_started_total");
    expect(await own.metrics()).not.toContain("acme_");
  });

  test("may be made of presets", async () => {
    const team = definePreset("team", (observability) => observability.with(acmePreset).environment("prod"));
    const observability = production("users-api").with(team);
    observability.jobRunner().run(reindex);
    expect(await observability.metrics()).toContain("acme_jobs_started_total");
  });

  test("leaves the set-up that it is applied to as it was", () => {
    const base = production("users-api");
    base.with(acmePreset);
    expect(() => base.contentType).toThrow("there are no metrics");
  });

  test("cannot be applied twice where it adds an adapter", () => {
    expect(() => acmeObservability("users-api").with(acmePreset)).toThrow('an adapter named "audit"');
  });

  test("may be written without `definePreset`, as what it is", () => {
    const preset = { name: "plain", apply: (observability: Observability) => observability.prometheus() };
    expect(production("users-api").with(preset).contentType).toContain("text/plain");
  });

  test.each([
    ["a function that makes an adapter", () => ({ name: "audit", jobObserver: () => ({}) })],
    ["a function", () => {}],
    ["a class", class {}],
    ["an object with neither", { name: "acme" }],
    ["nothing", null],
  ])("is none, nor an adapter: %s is refused with a TypeError", (_case, wrong) => {
    expect(() => production("users-api").with(wrong as never)).toThrow(TypeError);
  });

  test("is not what has an observer: that is an adapter, whatever else it has", () => {
    const odd = { ...adapter("odd", { metrics: () => "odd 1\n" }), apply: () => 7 };
    return expect(production("users-api").with(odd).metrics()).resolves.toBe("odd 1\n");
  });

  test("goes on with the set-up that it was given, and with no other", () => {
    const other = definePreset("other", () => production("another").prometheus());
    expect(() => production("users-api").with(other)).toThrow(/what the preset "other" returns/);
    const byHand = { name: "by hand", apply: () => undefined };
    expect(() => production("users-api").with(byHand as never)).toThrow(/"by hand" returns.*got undefined/);
  });

  test.each([
    ["no name", () => definePreset(undefined as never, (all) => all), /`name`.*got undefined/],
    ["an empty name", () => definePreset("", (all) => all), /`name`.*got ""/],
    ["no steps", () => definePreset("acme", undefined as never), /steps of the preset "acme".*got undefined/],
    [
      "steps that return nothing",
      () => production("users-api").with(definePreset("acme", (() => {}) as never)),
      /what the preset "acme" returns.*got undefined/,
    ],
  ])("with %s is refused with a TypeError", (_case, make, message) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});
