import { ObservedJobRunner } from "@nidus/jobs-observe";
import type { ServiceIdentity } from "@nidus/jobs-otel";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { type Observability, production } from "../src/index.ts";
import { adapter, failingJob, reindex } from "./support/adapters.ts";
import { resetGlobalApi } from "./support/global-api.ts";
import { pipelineMaker, RecordedPipeline } from "./support/recorded-pipeline.ts";

afterEach(resetGlobalApi);

const samplesOf = (text: string): string[] => text.split("\n").filter((line) => /^[^#]/.test(line));

describe("every step", () => {
  const steps: [string, (facade: Observability) => Observability][] = [
    ["version", (facade) => facade.version("1.4.2")],
    ["environment", (facade) => facade.environment("prod")],
    ["prometheus", (facade) => facade.prometheus()],
    ["otel", (facade) => facade.otel()],
    ["with", (facade) => facade.with(adapter("audit"))],
  ];

  test.each(steps)("returns another facade: `%s`", (_name, step) => {
    const base = production("users-api");
    expect(step(base)).not.toBe(base);
    expect(step(base)).not.toBe(step(base));
  });

  test("leaves the earlier one without the metrics that were added", async () => {
    const base = production("users-api").with(adapter("audit"));
    const derived = base.prometheus();

    derived.jobRunner().run(reindex);

    expect(() => base.contentType).toThrow("no metrics");
    expect(await derived.metrics()).toContain('nidus_jobs_started_total{job_name="reindex"} 1');
  });

  test("leaves the earlier one without the identity that was added", () => {
    const seen: ServiceIdentity[] = [];
    const audit = adapter("audit", {
      jobObserver: (service) => {
        seen.push(service);
        return {};
      },
    });
    const base = production("users-api").with(audit);
    const derived = base.version("1.4.2").environment("prod");

    base.jobRunner();
    derived.jobRunner();

    expect(seen).toEqual([
      { serviceName: "users-api" },
      { serviceName: "users-api", serviceVersion: "1.4.2", environment: "prod" },
    ]);
  });

  test("gives a derived set-up its own metrics, also from one at work", async () => {
    const base = production("users-api").prometheus();
    base.jobRunner().run(reindex);

    const derived = base.version("1.4.2");
    derived.jobRunner().run(digest);

    expect(await base.metrics()).not.toContain("digest");
    expect(await derived.metrics()).not.toContain("reindex");
  });
});

describe("a set-up", () => {
  test("stays as it is if the options of `prometheus` change later", async () => {
    const options = { prefix: "app_", buckets: [1], jobs: ["send"], attributeLabels: ["tenant"] };
    const observability = production("users-api").prometheus(options);
    options.prefix = "9 is no prefix";
    options.buckets.push(0.5);
    options.jobs.push("other");
    options.attributeLabels.pop();

    observability.jobRunner().context("tenant", "acme").run(reindex);

    const text = await observability.metrics();
    expect(text).toContain('app_jobs_started_total{job_name="reindex",tenant="acme"} 1');
    expect(text).toContain('app_jobs_started_total{job_name="send",tenant=""} 0');
    expect(text).not.toContain("other");
    expect(text).not.toContain('le="0.5"');
  });

  test.each(["a pipeline", "a function that makes one"])(
    "stays as it is if the options after %s change later",
    (kind) => {
      const pipeline = new RecordedPipeline();
      const options = { recordErrorMessage: false };
      const source = kind === "a pipeline" ? pipeline : () => pipeline;
      const runner = production("users-api").otel(source, options);
      options.recordErrorMessage = true;

      expect(() => runner.jobRunner().run(failingJob)).toThrow();

      expect(pipeline.spans.finished[0]?.status.message).toBeUndefined();
    },
  );

  test("cannot be changed by an adapter, through the identity that it gets", () => {
    const rename = adapter("a", {
      jobObserver(service) {
        expect(() => Object.assign(service, { serviceName: "other" })).toThrow(TypeError);
        return {};
      },
    });
    const maker = pipelineMaker();
    production("users-api").with(rename).otel(maker).jobRunner();
    expect(maker.services).toEqual([{ serviceName: "users-api" }]);
  });
});

const digest = { name: "digest", run: (): void => {} };

describe("the order of calls", () => {
  const steps: ((facade: Observability, maker: ReturnType<typeof pipelineMaker>) => Observability)[] = [
    (facade) => facade.version("1.4.2"),
    (facade) => facade.environment("prod"),
    (facade) => facade.prometheus({ prefix: "app_" }),
    (facade, maker) => facade.otel(maker),
    (facade) => facade.with(adapter("alpha", { metrics: () => "alpha 1\n" })),
    (facade) => facade.with(adapter("omega", { metrics: () => "omega 1\n" })),
  ];

  async function outcomeOf(order: readonly number[]): Promise<unknown> {
    const maker = pipelineMaker();
    const facade = order.reduce(
      (built, index) => (steps[index] as (typeof steps)[number])(built, maker),
      production("users-api"),
    );
    facade.jobRunner();
    return { exposition: await facade.metrics(), services: maker.services, type: facade.contentType };
  }

  test.each([[[5, 4, 3, 2, 1, 0]], [[3, 2, 0, 1, 5, 4]], [[2, 4, 3, 5, 0, 1]], [[4, 5, 1, 0, 2, 3]]])(
    "such as %j changes neither the exposition nor the identity",
    async (order) => {
      const expected = await outcomeOf([0, 1, 2, 3, 4, 5]);
      expect(await outcomeOf(order)).toEqual(expected);
      expect(expected).toMatchObject({
        exposition: expect.stringMatching(/alpha 1[\s\S]*omega 1[\s\S]*app_jobs_started_total/),
        services: [{ serviceName: "users-api", serviceVersion: "1.4.2", environment: "prod" }],
      });
    },
  );

  test("does not change the order of observers", () => {
    const heardIn = (...names: string[]): string[] => {
      const heard: string[] = [];
      const listening = (name: string) =>
        adapter(name, { jobObserver: () => ({ onJobStarted: () => void heard.push(name) }) });
      names
        .reduce((facade, name) => facade.with(listening(name)), production("users-api"))
        .jobRunner()
        .run(reindex);
      return heard;
    };
    expect(heardIn("c", "a", "b")).toEqual(heardIn("b", "c", "a"));
    expect(heardIn("c", "a", "b")).toHaveLength(3);
  });
});

describe("a runner", () => {
  test("is an ObservedJobRunner whose runs show in the metrics, and returns or throws what the job did", async () => {
    const observability = production("users-api").prometheus();
    const runner = observability.jobRunner();

    expect(runner).toBeInstanceOf(ObservedJobRunner);
    expect(runner.run({ name: "answer", run: () => 42 })).toBe(42);
    expect(() => runner.run(failingJob)).toThrow(TypeError);

    const text = await observability.metrics();
    expect(text).toContain('nidus_jobs_finished_total{job_name="answer",status="success"} 1');
    expect(text).toContain('nidus_jobs_finished_total{job_name="digest",status="failure"} 1');
  });

  test("shares its observers with the facade's other runners, and with a user's own runner", async () => {
    const observability = production("users-api").prometheus();

    observability.jobRunner().run(reindex);
    observability.jobRunner().run(reindex);
    new ObservedJobRunner(observability.jobObserver()).run(reindex);

    expect(await observability.metrics()).toContain('nidus_jobs_started_total{job_name="reindex"} 3');
  });

  test("of a facade without adapters runs jobs", () => {
    expect(
      production("users-api")
        .jobRunner()
        .run({ name: "answer", run: () => 42 }),
    ).toBe(42);
  });
});

describe("prometheus()", () => {
  test("takes its observer's options", async () => {
    const registry = new Registry();
    const observability = production("users-api").prometheus({
      registry,
      prefix: "app_",
      maxSeries: 2,
      buckets: [1],
    });
    const runner = observability.jobRunner();
    for (const name of ["a", "b", "c", "d"]) runner.run({ name, run: () => {} });

    const text = await observability.metrics();
    expect(text).toBe(await registry.metrics());
    expect(samplesOf(text).filter((line) => line.startsWith("app_jobs_started_total"))).toEqual([
      'app_jobs_started_total{job_name="a"} 1',
      'app_jobs_started_total{job_name="b"} 1',
      'app_jobs_started_total{job_name="<overflow>"} 2',
    ]);
    expect(text).toContain('app_job_duration_seconds_bucket{le="1",job_name="a",status="success"} 1');
  });

  test("called again replaces the first", async () => {
    const observability = production("users-api")
      .prometheus({ prefix: "one_" })
      .prometheus({ prefix: "two_" });
    const text = await observability.metrics();
    expect(text).toContain("two_jobs_started_total");
    expect(text).not.toContain("one_jobs_started_total");
  });

  test("refuses wrong options at the call", () => {
    expect(() => production("users-api").prometheus({ maxSeries: 0 })).toThrow(RangeError);
    expect(() => production("users-api").prometheus({ maxSeries: 0 })).toThrow("`maxSeries`");
  });
});
