import { asyncJob } from "@nidus/jobs-core";
import type { EnqueuedJobContext } from "@nidus/jobs-observe";
import { context, createContextKey, propagation, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { otelJobObserver } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { brokenPropagator, dashPropagator } from "./support/propagators.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { deliveryOf, strictRunner, tolerantRunner } from "./support/runner.ts";

/** Like Sentry's, which keeps its own scopes in every context. */
class WrappingContextManager extends AsyncLocalStorageContextManager {
  override with: AsyncLocalStorageContextManager["with"] = (given, run, self, ...args) =>
    super.with(given.setValue(createContextKey("scopes"), {}), run, self, ...args);
}

beforeEach(registerContextManager);
afterEach(resetGlobalApi);

function enqueued(given: Partial<EnqueuedJobContext> = {}): EnqueuedJobContext {
  return {
    jobName: "digest",
    engine: "memory",
    queue: "mail",
    count: 1,
    correlationId: undefined,
    carrier: {},
    ...given,
  };
}

describe("enqueueing", () => {
  test("is a PRODUCER span `job.enqueue` in the active trace, which has ended", () => {
    const { tracer, spans } = recordSpans();

    tracer.startActiveSpan("request", (request) => {
      strictRunner(otelJobObserver({ tracer })).enqueued(enqueued({ count: 3, correlationId: "order-9" }));
      request.end();
    });

    const span = spans.only("job.enqueue");
    expect(span.kind).toBe(SpanKind.PRODUCER);
    expect(span.attributes).toEqual({
      "job.name": "digest",
      "job.engine": "memory",
      "job.queue": "mail",
      "job.batch.count": 3,
      "job.correlation_id": "order-9",
    });
    expect(span.parentSpanContext?.spanId).toBe(spans.only("request").spanContext().spanId);
    expect(spans.openCount).toBe(0);
  });

  test("writes a traceparent that names the span, and the delivery links to it", async () => {
    const { tracer, spans } = recordSpans();
    const observer = otelJobObserver({ tracer });
    const context = enqueued();

    strictRunner(observer).enqueued(context);
    const delivery = deliveryOf({ carrier: context.carrier });
    await strictRunner(observer).runAsync(
      asyncJob("digest", async () => {}),
      { delivery },
    );

    const producer = spans.only("job.enqueue").spanContext();
    expect(context.carrier).toEqual({ traceparent: `00-${producer.traceId}-${producer.spanId}-01` });
    expect(spans.only("job.run").links[0]?.context.spanId).toBe(producer.spanId);
  });

  test("marks an unsampled span in the traceparent", () => {
    const context = enqueued();
    strictRunner(otelJobObserver({ tracer: recordSpans(new AlwaysOffSampler()).tracer })).enqueued(context);
    expect(context.carrier.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  test("lets the application's propagator write if there is one", () => {
    propagation.setGlobalPropagator(dashPropagator);
    const { tracer, spans } = recordSpans();
    const context = enqueued({ carrier: { "x-tenant": "acme" } });

    strictRunner(otelJobObserver({ tracer })).enqueued(context);

    const { traceId: trace_, spanId: span_ } = spans.only("job.enqueue").spanContext();
    expect(context.carrier).toEqual({ "x-tenant": "acme", "x-dash": `${trace_}/${span_}` });
  });

  test("lets the propagator write with the active context, even if a context manager copies contexts", () => {
    const seen: unknown[] = [];
    context.disable();
    context.setGlobalContextManager(new WrappingContextManager().enable());
    propagation.setGlobalPropagator({
      ...dashPropagator,
      inject: (given) => {
        if (given === context.active()) seen.push(trace.getActiveSpan()?.spanContext().spanId);
      },
    });
    const { tracer, spans } = recordSpans();

    strictRunner(otelJobObserver({ tracer })).enqueued(enqueued());

    expect(seen).toEqual([spans.only("job.enqueue").spanContext().spanId]);
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  test("writes nothing without OpenTelemetry", () => {
    const context = enqueued();
    strictRunner(otelJobObserver()).enqueued(context);
    expect(context.carrier).toEqual({});
  });

  test("ends its span even if the propagator throws", () => {
    propagation.setGlobalPropagator(brokenPropagator("inject"));
    const { tracer, spans } = recordSpans();

    tolerantRunner(otelJobObserver({ tracer })).enqueued(enqueued());

    expect(spans.all("job.enqueue")).toHaveLength(1);
    expect(spans.openCount).toBe(0);
  });
});
