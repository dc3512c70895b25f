import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { production } from "../src/index.ts";
import { adapter, reindex } from "./support/adapters.ts";

const openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

describe("metrics()", () => {
  test.each([
    ["no adapters", production("users-api")],
    ["otel alone", production("users-api").otel()],
    ["an adapter without metrics", production("users-api").with(adapter("audit"))],
  ])("with %s says that there are none, and what to add", async (_case, observability) => {
    const message = /no metrics.*\.prometheus\(\)/;
    await expect(observability.metrics()).rejects.toThrow(message);
    expect(() => observability.contentType).toThrow(message);
    expect(() => observability.metricsHandler()).toThrow(message);
  });

  test("concatenate those of all adapters", async () => {
    const observability = production("users-api")
      .prometheus()
      .with(adapter("a", { metrics: () => "a 1\n" }))
      .with(adapter("b", { metrics: async () => "b 2\n" }))
      .with(adapter("c"));
    observability.jobRunner().run(reindex);

    const text = await observability.metrics();
    expect(text.startsWith("a 1\nb 2\n# HELP nidus_")).toBe(true);
    expect(text).toContain('nidus_jobs_started_total{job_name="reindex"} 1');
    expect(observability.contentType).toBe(Registry.PROMETHEUS_CONTENT_TYPE);
  });

  test.each([
    ["ends without a line break", "a 1", "b 2\n", "a 1\nb 2\n"],
    ["is empty", "", "b 2\n", "b 2\n"],
  ])("stay apart if a text %s", async (_case, first, second, expected) => {
    const observability = production("users-api")
      .with(adapter("a", { metrics: () => first }))
      .with(adapter("b", { metrics: () => second }));
    expect(await observability.metrics()).toBe(expected);
  });

  test("are collected anew for every call", async () => {
    let scrapes = 0;
    const observability = production("users-api").with(
      adapter("a", { metrics: () => `scrapes ${++scrapes}\n` }),
    );
    expect([await observability.metrics(), await observability.metrics()]).toEqual([
      "scrapes 1\n",
      "scrapes 2\n",
    ]);
  });

  test("of different content types are refused, naming the adapters", async () => {
    const observability = production("users-api")
      .prometheus()
      .with(adapter("exotic", { metrics: () => "a 1\n", contentType: openMetrics }));
    const message = /exotic.*prometheus.*different content types/;
    await expect(observability.metrics()).rejects.toThrow(message);
    expect(() => observability.metricsHandler()).toThrow(message);
  });

  test("reject with an adapter's error", async () => {
    const failure = new Error("the queue is gone");
    const broken = adapter("broken", { metrics: () => Promise.reject(failure) });
    await expect(production("users-api").prometheus().with(broken).metrics()).rejects.toBe(failure);
  });

  test("reject if an adapter throws", async () => {
    const broken = adapter("broken", {
      metrics: () => {
        throw new Error("the queue is gone");
      },
    });
    await expect(production("users-api").with(broken).metrics()).rejects.toThrow("the queue is gone");
  });
});

describe("OpenMetrics", () => {
  const exposing = (...texts: string[]) =>
    texts.reduce(
      (facade, text, index) =>
        facade.with(adapter(`adapter ${index}`, { metrics: () => text, contentType: openMetrics })),
      production("users-api"),
    );

  test("ends once, with everything before its end", async () => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const observability = production("users-api")
      .prometheus({ registry })
      .with(adapter("a", { metrics: () => "a 1\n# EOF\n", contentType: openMetrics }))
      .with(adapter("z", { metrics: () => "z 2\n# EOF\n", contentType: openMetrics }));
    observability.jobRunner().run(reindex);

    const text = await observability.metrics();
    expect(text.match(/^# EOF$/gm)).toHaveLength(1);
    expect(text.endsWith("z 2\n# EOF\n")).toBe(true);
    expect(text).toContain('nidus_jobs_started_total{job_name="reindex"} 1');
    expect(observability.contentType).toBe(openMetrics);
  });

  test.each([
    ["if one text has no end", ["a 1\n", "b 2\n# EOF\n"]],
    ["if an end has no line break", ["a 1\n# EOF", "b 2\n# EOF\n"]],
    ["if no end has a line break", ["a 1\n# EOF", "b 2\n# EOF"]],
  ])("ends once, %s", async (_case, texts) => {
    expect(await exposing(...texts).metrics()).toBe("a 1\nb 2\n# EOF\n");
  });

  test("keeps a help text that looks like the end of an exposition", async () => {
    const help = "# HELP a What stands before # EOF\na 1\n# EOF\n";
    expect(await exposing(help, "b 2\n# EOF\n").metrics()).toBe(
      "# HELP a What stands before # EOF\na 1\nb 2\n# EOF\n",
    );
  });
});
