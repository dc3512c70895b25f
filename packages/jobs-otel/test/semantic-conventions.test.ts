import { asyncJob, job } from "@nidus/jobs-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jobSpanConvention, otelJobObserver, type SpanConvention } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { strictRunner, thrownBy, tolerantRunner } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(resetGlobalApi);

const startedRun = {
  runId: "1",
  jobName: "digest",
  startedAtMs: 0,
  durationMs: undefined,
  delivery: undefined,
};

describe("a custom convention", () => {
  test("names the spans and their attributes", async () => {
    const { tracer, spans } = recordSpans();
    const convention: SpanConvention = {
      runName: ({ jobName }) => `process ${jobName}`,
      runAttributes: ({ jobName }) => ({ "acme.task": jobName }),
      recordedRunAttributes: ({ runId }) => ({ "acme.run": runId }),
      endAttributes: (status, errorType) => ({ "acme.end": status, "acme.error": errorType }),
      enqueueName: ({ jobName }) => `send ${jobName}`,
      enqueueAttributes: ({ queue }) => ({ "acme.queue": queue }),
    };
    const runner = strictRunner(otelJobObserver({ tracer, convention })).runIdGenerator(() => "run-1");

    await thrownBy(() => runner.runAsync(asyncJob("digest", () => Promise.reject(new TypeError("no")))));
    runner.enqueued({
      jobName: "digest",
      engine: "memory",
      queue: "mail",
      count: 1,
      correlationId: undefined,
      carrier: {},
    });

    expect(spans.only("process digest").attributes).toEqual({
      "acme.task": "digest",
      "acme.run": "run-1",
      "acme.end": "failure",
      "acme.error": "TypeError",
    });
    expect(spans.only("send digest").attributes).toEqual({ "acme.queue": "mail" });
  });

  test("can be the default one with a change", () => {
    const { tracer, spans } = recordSpans();
    const convention: SpanConvention = { ...jobSpanConvention, runName: ({ jobName }) => jobName };

    strictRunner(otelJobObserver({ tracer, convention })).run(job("reindex", () => {}));

    expect(spans.only("reindex").attributes["job.name"]).toBe("reindex");
  });

  test("can be the default one with more attributes", () => {
    const { tracer, spans } = recordSpans();
    const convention: SpanConvention = {
      ...jobSpanConvention,
      runAttributes: (context) => ({ ...jobSpanConvention.runAttributes(context), "acme.team": "mail" }),
    };
    const runner = strictRunner(otelJobObserver({ tracer, convention }));

    runner.run(job("reindex", () => {}));
    runner.run(job("reindex", () => {}));

    for (const { attributes } of spans.finished) {
      expect(attributes).toMatchObject({ "job.name": "reindex", "acme.team": "mail" });
    }
    expect(spans.finished).toHaveLength(2);
  });

  test("may change the attributes that it was given", () => {
    const fields = { ...startedRun, attributes: { tenant: "acme" } };
    const context = { ...fields, toJSON: () => fields };
    expect(jobSpanConvention.runAttributes(context)).toMatchObject({ tenant: "acme" });
    context.attributes.tenant = "globex";
    expect(jobSpanConvention.runAttributes(context)).toMatchObject({ tenant: "globex" });
  });

  test.each(["runName", "runAttributes", "recordedRunAttributes", "endAttributes"] as const)(
    "whose `%s` throws leaves the job alone and no span open",
    (member) => {
      const { tracer, spans } = recordSpans();
      const convention: SpanConvention = {
        ...jobSpanConvention,
        [member]: () => {
          throw new Error("the convention is broken");
        },
      };

      expect(tolerantRunner(otelJobObserver({ tracer, convention })).run(job("reindex", () => 42))).toBe(42);

      expect(spans.openCount).toBe(0);
    },
  );
});
