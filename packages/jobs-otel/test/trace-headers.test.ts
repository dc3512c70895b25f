import { asyncJob } from "@nidus/jobs-core";
import type { JobObserver } from "@nidus/jobs-observe";
import { context, propagation, ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { otelJobObserver } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { brokenPropagator, dashPropagator } from "./support/propagators.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { deliveryOf, strictRunner, tolerantRunner } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(resetGlobalApi);

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const traceparent = `00-${traceId}-${spanId}-01`;
const digest = asyncJob("digest", async () => "sent");

async function deliver(observer: JobObserver, carrier: Record<string, string>): Promise<void> {
  expect(await strictRunner(observer).runAsync(digest, { delivery: deliveryOf({ carrier }) })).toBe("sent");
}

describe("a delivered run", () => {
  test("is a CONSUMER span that names the engine and queue of the job", async () => {
    const { tracer, spans } = recordSpans();
    const delivery = deliveryOf({ correlationId: "order-9" });

    await strictRunner(otelJobObserver({ tracer })).runAsync(digest, { delivery });

    const span = spans.only("job.run");
    expect(span.kind).toBe(SpanKind.CONSUMER);
    expect(span.attributes).toMatchObject({
      "job.name": "digest",
      "job.engine": "memory",
      "job.queue": "mail",
      "job.id": "job-7",
      "job.attempt": 2,
      "job.max_attempts": 5,
      "job.correlation_id": "order-9",
    });
  });

  test("links to the span that enqueued it, in a trace of its own", async () => {
    const { tracer, spans } = recordSpans();

    await deliver(otelJobObserver({ tracer }), { traceparent });

    const span = spans.only("job.run");
    expect(span.links.map(({ context }) => [context.traceId, context.spanId])).toEqual([[traceId, spanId]]);
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.spanContext().traceId).not.toBe(traceId);
  });

  test.each(["link", "none"] as const)(
    "is a child of the span that is active around it, with propagation: %j",
    async (propagation) => {
      const { tracer, spans } = recordSpans();

      await tracer.startActiveSpan("process", async (process) => {
        await deliver(otelJobObserver({ tracer, propagation }), { traceparent });
        process.end();
      });

      const span = spans.only("job.run");
      expect(span.parentSpanContext?.spanId).toBe(spans.only("process").spanContext().spanId);
      expect(span.links.map(({ context }) => context.spanId)).toEqual(propagation === "link" ? [spanId] : []);
    },
  );

  test("is a child of an active span that is remote or not sampled", async () => {
    const { tracer, spans } = recordSpans();
    for (const [traceFlags, isRemote] of [
      [TraceFlags.SAMPLED, true],
      [TraceFlags.NONE, false],
    ] as const) {
      const active = { traceId: "3".repeat(32), spanId: "4".repeat(16), traceFlags, isRemote };
      let seen = "";
      const note = asyncJob("digest", async () => {
        seen = trace.getActiveSpan()?.spanContext().traceId ?? "";
      });
      const runner = strictRunner(otelJobObserver({ tracer }));
      await context.with(trace.setSpanContext(context.active(), active), () =>
        runner.runAsync(note, { delivery: deliveryOf({ carrier: { traceparent } }) }),
      );
      expect(seen).toBe(active.traceId);
    }
    expect(spans.only("job.run").parentSpanContext?.spanId).toBe("4".repeat(16));
  });

  test("is no child of a span that has ended, such as one around the start of a worker", async () => {
    const { tracer, spans } = recordSpans();

    await tracer.startActiveSpan("boot", async (boot) => {
      boot.end();
      await deliver(otelJobObserver({ tracer }), { traceparent });
    });

    expect(spans.only("job.run").parentSpanContext).toBeUndefined();
  });

  test('is a child of the active span with propagation: "parent", if that is in the trace of the enqueue', async () => {
    const { tracer, spans } = recordSpans();
    const producer = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };

    await tracer.startActiveSpan(
      "process",
      {},
      trace.setSpanContext(ROOT_CONTEXT, producer),
      async (process) => {
        await deliver(otelJobObserver({ tracer, propagation: "parent" }), { traceparent });
        process.end();
      },
    );

    const span = spans.only("job.run");
    expect(span.parentSpanContext?.spanId).toBe(spans.only("process").spanContext().spanId);
    expect(span.spanContext().traceId).toBe(traceId);
  });

  test('is the child of the span that enqueued it with propagation: "parent"', async () => {
    const { tracer, spans } = recordSpans();

    await deliver(otelJobObserver({ tracer, propagation: "parent" }), { traceparent });

    const span = spans.only("job.run");
    expect(span.kind).toBe(SpanKind.CONSUMER);
    expect(span.spanContext().traceId).toBe(traceId);
    expect(span.parentSpanContext?.spanId).toBe(spanId);
    expect(span.links).toEqual([]);
  });

  test('is tied to nothing with propagation: "none"', async () => {
    const { tracer, spans } = recordSpans();

    await deliver(otelJobObserver({ tracer, propagation: "none" }), { traceparent });

    const span = spans.only("job.run");
    expect(span.spanContext().traceId).not.toBe(traceId);
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.links).toEqual([]);
  });

  test('follows the sampling decision of its parent with propagation: "parent"', async () => {
    const { tracer, spans } = recordSpans();

    await deliver(otelJobObserver({ tracer, propagation: "parent" }), {
      traceparent: `00-${traceId}-${spanId}-00`,
    });

    expect(spans.finished).toEqual([]);
  });

  test.each(["link", "parent"] as const)("is tied by the application's propagator (%s)", async (kind) => {
    propagation.setGlobalPropagator(dashPropagator);
    const { tracer, spans } = recordSpans();

    await deliver(otelJobObserver({ tracer, propagation: kind }), {
      "x-dash": `${traceId}/${spanId}`,
      traceparent: traceparent.replaceAll("b", "c"),
    });

    const span = spans.only("job.run");
    const tied = kind === "parent" ? span.parentSpanContext : span.links[0]?.context;
    expect([tied?.traceId, tied?.spanId]).toEqual([traceId, spanId]);
  });
});

describe("an unreadable carrier", () => {
  const carriers: [string, Record<string, unknown>][] = [
    ["no header", {}],
    ["an empty header", { traceparent: "" }],
    ["a header cut short", { traceparent: traceparent.slice(0, -1) }],
    ["a header with more behind it", { traceparent: `${traceparent}-00` }],
    ["a header with a line break behind it", { traceparent: `${traceparent}\n` }],
    ["a trace id of zeros", { traceparent: `00-${"0".repeat(32)}-${spanId}-01` }],
    ["a span id of zeros", { traceparent: `00-${traceId}-${"0".repeat(16)}-01` }],
    ["the forbidden version", { traceparent: traceparent.replace("00", "ff") }],
    ["letters that are no hexadecimals", { traceparent: traceparent.replaceAll("a", "g") }],
    ["a number", { traceparent: 42 }],
    ["null", { traceparent: null }],
    ["an object", { traceparent: {} }],
    ["a header of another format", { "x-dash": "nonsense" }],
  ];

  test.each(carriers)("such as %s is ignored", async (_case, carrier) => {
    for (const kind of ["link", "parent"] as const) {
      const { tracer, spans } = recordSpans();
      await deliver(otelJobObserver({ tracer, propagation: kind }), carrier as Record<string, string>);
      const span = spans.only("job.run");
      expect([span.links, span.parentSpanContext]).toEqual([[], undefined]);
    }
  });

  test("is ignored if a propagator reads it, too", async () => {
    propagation.setGlobalPropagator(dashPropagator);
    const { tracer, spans } = recordSpans();
    await deliver(otelJobObserver({ tracer }), { "x-dash": "nonsense", traceparent });
    expect(spans.only("job.run").links).toEqual([]);
  });

  test("keeps the span of the run if the propagator throws", async () => {
    propagation.setGlobalPropagator(brokenPropagator("extract"));
    const { tracer, spans } = recordSpans();

    await tolerantRunner(otelJobObserver({ tracer })).runAsync(digest, {
      delivery: deliveryOf({ carrier: { "x-dash": "nonsense" } }),
    });

    expect(spans.only("job.run").links).toEqual([]);
  });
});
