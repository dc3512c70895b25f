import { describe, expect, test } from "vitest";
import { definePreset, type Observability, production } from "../src/index.ts";
import { adapter, reindex } from "./support/adapters.ts";

/** A preset that a company could publish: our metrics with its own limits, and its own adapter. */
const acmePreset = definePreset("acme", (observability) =>
  observability.prometheus({ prefix: "acme_" }).with(adapter("audit", { metrics: () => "audits 1\n" })),
);
const acmeObservability = (serviceName: string): Observability => production(serviceName).with(acmePreset);

describe("a preset", () => {
  const base = production("users-api");

  test("composes our adapters and theirs, behind one function", async () => {
    const observability = acmeObservability("users-api");
    observability.jobRunner().run(reindex);
    const metrics = await observability.metrics();
    expect(metrics).toContain('acme_jobs_started_total{job_name="reindex"} 1');
    expect(metrics).toContain("audits 1");
  });

  test("acts at its place: later steps replace its steps", async () => {
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

  test("leaves the set-up that it is applied to unchanged", () => {
    const base = production("users-api");
    base.with(acmePreset);
    expect(() => base.contentType).toThrow("there are no metrics");
  });

  test("cannot be applied twice if it adds an adapter", () => {
    expect(() => acmeObservability("users-api").with(acmePreset)).toThrow(
      'an adapter named "audit" is already there',
    );
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
  ])("is refused with a TypeError if it is %s", (_case, wrong) => {
    expect(() => production("users-api").with(wrong as never)).toThrow(TypeError);
  });

  test("is no addition with an observer: that is an adapter, whatever else it has", () => {
    const odd = { ...adapter("odd", { metrics: () => "odd 1\n" }), apply: () => 7 };
    return expect(production("users-api").with(odd).metrics()).resolves.toBe("odd 1\n");
  });

  test("must return the set-up that it was given", () => {
    const other = definePreset("other", () => production("another").prometheus());
    expect(() => production("users-api").with(other)).toThrow(/the result of the preset "other"/);
    const byHand = { name: "by hand", apply: () => undefined };
    expect(() => production("users-api").with(byHand as never)).toThrow(
      /the result of the preset "by hand".*got undefined/,
    );
  });

  test.each([
    ["of the same name, without the adapters", () => production("users-api")],
    ["with adapters of the same names", () => production("users-api").prometheus().with(adapter("audit"))],
    ["of which the given one was made", () => base],
    ["made of the same one in another way", () => base.prometheus()],
  ])("must not return a set-up %s", (_case, apply) => {
    const put = (): unknown => base.prometheus().with(adapter("audit")).with({ name: "other", apply });
    expect(put).toThrow(TypeError);
    expect(put).toThrow(/the result of the preset "other" to be this set-up with its steps added/);
  });

  test("may return the set-up as it is", () => {
    expect(base.with(definePreset("nothing", (all) => all))).toBe(base);
  });

  test.each([
    ["no name", () => definePreset(undefined as never, (all) => all), /`name`.*got undefined/],
    ["an empty name", () => definePreset("", (all) => all), /`name`.*got ""/],
    ["no steps", () => definePreset("acme", undefined as never), /steps of the preset "acme".*got undefined/],
    [
      "steps that return nothing",
      () => production("users-api").with(definePreset("acme", (() => {}) as never)),
      /the result of the preset "acme".*got undefined/,
    ],
  ])("with %s is refused with a TypeError", (_case, make, message) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});
