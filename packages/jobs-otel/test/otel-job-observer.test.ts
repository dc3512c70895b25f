import { asyncJob, job } from "@nidus/jobs-core";
import type { JobObserver, ObservedJobContext } from "@nidus/jobs-observe";
import { context, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { AlwaysOffSampler, type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { jobSpanConvention, type OtelJobObserverOptions, otelJobObserver } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { millisecondsBetween, recordSpans } from "./support/recorded-spans.ts";
import { strictRunner } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(() => {
  resetGlobalApi();
  vi.restoreAllMocks();
});

describe("the span of a run", () => {
  test("is one INTERNAL `job.run` span, with its status unset after a success", async () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));

    expect(runner.run(job("reindex", () => 42))).toBe(42);
    expect(await runner.runAsync(asyncJob("digest", async () => "sent"))).toBe("sent");

    expect(spans.finished.map(({ name, kind }) => [name, kind])).toEqual([
      ["job.run", SpanKind.INTERNAL],
      ["job.run", SpanKind.INTERNAL],
    ]);
    for (const span of spans.finished) {
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
      expect(span.events).toEqual([]);
      expect(span.links).toEqual([]);
    }
  });

  test("carries the job's name, the run id and the context attributes", () => {
    const { tracer, spans } = recordSpans();
    let seen: ObservedJobContext | undefined;
    const witness: JobObserver = {
      onJobStarted: (run) => {
        seen = run;
      },
    };
    const runner = strictRunner(otelJobObserver({ tracer }), witness)
      .context({ tenant: "acme", retries: 3, urgent: false })
      .runIdGenerator(() => "run-1");

    runner.run(job("reindex", () => {}));

    expect(seen?.runId).toBe("run-1");
    expect(spans.only("job.run").attributes).toEqual({
      "job.name": "reindex",
      "job.run_id": "run-1",
      tenant: "acme",
      retries: 3,
      urgent: false,
    });
  });

  test("keeps its own attributes if context attributes have the same keys", () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer })).runIdGenerator(() => "run-1");

    runner.context({ "job.name": "forged", "job.run_id": "forged" }).run(job("reindex", () => {}));

    expect(spans.only("job.run").attributes).toEqual({ "job.name": "reindex", "job.run_id": "run-1" });
  });

  test("carries the attributes of its own run, whichever runs came before", () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));
    const [acme, globex] = [runner.context("tenant", "acme"), runner.context("tenant", "globex")];
    const [digest, reindex] = [job("digest", () => {}), job("reindex", () => {})];
    for (const [each, work] of [
      [acme, digest],
      [globex, digest],
      [globex, reindex],
      [acme, digest],
    ] as const) {
      each.run(work);
    }
    expect(spans.finished.map(({ attributes }) => [attributes["job.name"], attributes.tenant])).toEqual([
      ["digest", "acme"],
      ["digest", "globex"],
      ["reindex", "globex"],
      ["digest", "acme"],
    ]);
  });

  test("hands `__proto__` to the tracer as an attribute like any other", () => {
    const { tracer, spans } = recordSpans();
    const given: unknown[] = [];
    const listening: Tracer = {
      startSpan(name, options, parent) {
        given.push(Object.entries(options?.attributes ?? {}));
        return tracer.startSpan(name, options, parent);
      },
      startActiveSpan: tracer.startActiveSpan.bind(tracer),
    };
    const runner = strictRunner(otelJobObserver({ tracer: listening }));

    runner.context("__proto__", "data").run(job("reindex", () => {}));

    expect(given).toEqual([expect.arrayContaining([["__proto__", "data"]])]);
    expect(Object.getPrototypeOf(spans.only("job.run").attributes)).toBe(Object.prototype);
  });

  test("lasts as long as the run that other observers see", async () => {
    // The SDK reads the same clocks, a moment later.
    let nowMs = Date.parse("2031-05-06T07:08:09Z");
    for (const clock of [Date, performance]) vi.spyOn(clock, "now").mockImplementation(() => nowMs);
    const { tracer, spans } = recordSpans();
    let finished: ObservedJobContext | undefined;
    const runner = strictRunner(otelJobObserver({ tracer }), {
      onJobFinished: (run) => {
        finished = run;
      },
    });

    await runner.runAsync(
      asyncJob("digest", async () => {
        nowMs += 30;
      }),
    );

    const span = spans.only("job.run");
    expect(finished?.durationMs).toBe(30);
    expect(millisecondsBetween(span.startTime, span.endTime)).toBeCloseTo(30);
    expect(millisecondsBetween([0, 0], span.startTime)).toBeCloseTo(finished?.startedAtMs ?? 0);
  });
});

describe("sampling", () => {
  test("an unsampled run makes no run id, and its job runs", async () => {
    const { tracer, spans } = recordSpans(new AlwaysOffSampler());
    let idsMade = 0;
    const runner = strictRunner(otelJobObserver({ tracer })).runIdGenerator(() => `run-${++idsMade}`);

    expect(runner.run(job("reindex", () => 1))).toBe(1);
    await expect(runner.runAsync(asyncJob("digest", () => Promise.reject(new Error("no"))))).rejects.toThrow(
      "no",
    );

    expect(idsMade).toBe(0);
    expect(spans.finished).toEqual([]);
  });

  test("a sampled run makes one run id", () => {
    const { tracer } = recordSpans();
    let idsMade = 0;
    const runner = strictRunner(otelJobObserver({ tracer })).runIdGenerator(() => `run-${++idsMade}`);

    runner.run(job("reindex", () => {}));

    expect(idsMade).toBe(1);
  });

  test("a sampler sees the job's name and the context attributes", () => {
    const seen: unknown[] = [];
    const sampler: Sampler = {
      shouldSample: (_context, _traceId, _name, _kind, attributes) => {
        seen.push({ ...attributes });
        return { decision: SamplingDecision.NOT_RECORD };
      },
    };
    const runner = strictRunner(otelJobObserver({ tracer: recordSpans(sampler).tracer }));

    runner.context("tenant", "acme").run(job("reindex", () => {}));

    expect(seen).toEqual([{ "job.name": "reindex", tenant: "acme" }]);
  });
});

describe("options", () => {
  test("without a tracer, spans go to the application's own set-up, even if it is registered later", () => {
    const { provider, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver());

    trace.setGlobalTracerProvider(provider);
    runner.run(job("reindex", () => {}));

    expect(spans.only("job.run").instrumentationScope.name).toBe("@nidus/jobs-otel");
  });

  test("without any set-up, jobs run and no span is active", () => {
    const runner = strictRunner(otelJobObserver());
    const seen = runner.run(job("reindex", () => trace.getSpan(context.active())?.isRecording()));
    expect(seen).toBe(false);
  });

  test.each<[string, unknown, RegExp]>([
    ["a tracer of null", { tracer: null }, /`tracer`.*tracer, got null/],
    ["a tracer that starts nothing", { tracer: {} }, /`tracer`.*OpenTelemetry tracer, got /],
    [
      "an unknown propagation",
      { propagation: "child" },
      /`propagation`.*"link", "parent" or "none", got "child"/,
    ],
    ["a propagation of null", { propagation: null }, /`propagation`.*got null/],
    ["a convention of null", { convention: null }, /`convention`.*an object, got null/],
    ["a convention without members", { convention: {} }, /`convention.runName`.*a function, got undefined/],
    [
      "a convention that lacks a member",
      { convention: { ...jobSpanConvention, enqueueName: undefined } },
      /`convention.enqueueName`.*a function, got undefined/,
    ],
    [
      "a recordErrorMessage that is no boolean",
      { recordErrorMessage: "no" },
      /`recordErrorMessage`.*got "no"/,
    ],
  ])("%s is refused, with what was expected and received", (_case, options, message) => {
    const make = (): unknown => otelJobObserver(options as OtelJobObserverOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  test("undefined means the default of every option", () => {
    const options: OtelJobObserverOptions = {
      tracer: undefined,
      recordErrorMessage: undefined,
      propagation: undefined,
      convention: undefined,
    };
    expect(() => otelJobObserver(options)).not.toThrow();
  });
});
