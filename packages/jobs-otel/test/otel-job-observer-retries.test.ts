import { asyncJob } from "@nidus/jobs-core";
import type { JobDelivery } from "@nidus/jobs-observe";
import { propagation, type SpanContext } from "@opentelemetry/api";
import { AlwaysOffSampler } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { otelJobObserver } from "../src/index.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { brokenPropagator, dashPropagator } from "./support/propagators.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { deliveryOf, strictRunner, tolerantRunner } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(resetGlobalApi);

const failing = asyncJob("digest", async () => {
  throw new Error("not now");
});
const succeeding = asyncJob("digest", async () => {});

const traceparent = ({ traceId, spanId }: SpanContext): string => `00-${traceId}-${spanId}-01`;
const producer = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };

function attempt(number: number, given: Partial<JobDelivery> = {}): JobDelivery {
  const carrier = { traceparent: traceparent(producer) };
  return deliveryOf({ attempt: number, carrier, nextCarrier: {}, ...given });
}

describe("retries", () => {
  test.each(["link", "none", "parent"] as const)(
    "have a link to the span of the attempt before, with the propagation %s",
    async (propagation) => {
      const { tracer, spans } = recordSpans();
      const runner = strictRunner(otelJobObserver({ tracer, propagation }));

      const first = attempt(1);
      await runner.runAsync(failing, { delivery: first }).catch(() => {});
      const second = attempt(2, { previousCarrier: first.nextCarrier });
      await runner.runAsync(failing, { delivery: second }).catch(() => {});
      const third = attempt(3, { previousCarrier: second.nextCarrier });
      await runner.runAsync(succeeding, { delivery: third });

      const ids = spans.all("job.run").map((span) => span.spanContext().spanId);
      const links = spans.all("job.run").map((span) => span.links.map(({ context }) => context.spanId));
      const toProducer = propagation === "link" ? [producer.spanId] : [];
      expect(links).toEqual([toProducer, [...toProducer, ids[0]], [...toProducer, ids[1]]]);
    },
  );

  test("have only the producer's link if the attempt before left no headers, or unreadable ones", async () => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));
    for (const previousCarrier of [undefined, {}, { traceparent: "00-hello" }]) {
      await runner.runAsync(succeeding, { delivery: attempt(2, { previousCarrier }) });
    }
    for (const span of spans.all("job.run")) {
      expect(span.links.map(({ context }) => context.spanId)).toEqual([producer.spanId]);
    }
  });

  test("get no headers from a success, from an unsampled run, or for an engine that stores none", async () => {
    const recorded = strictRunner(otelJobObserver({ tracer: recordSpans().tracer }));
    const success = attempt(1);
    await recorded.runAsync(succeeding, { delivery: success });
    expect(success.nextCarrier).toEqual({});
    await expect(recorded.runAsync(failing, { delivery: deliveryOf() })).rejects.toThrow("not now");

    const { tracer } = recordSpans(new AlwaysOffSampler());
    const unsampled = attempt(1);
    await strictRunner(otelJobObserver({ tracer }))
      .runAsync(failing, { delivery: unsampled })
      .catch(() => {});
    expect(unsampled.nextCarrier).toEqual({});
  });

  test("get headers from a run that was cancelled", async () => {
    const { tracer, spans } = recordSpans();
    const delivery = attempt(1);
    const signal = AbortSignal.abort();
    const stopped = asyncJob("digest", async (signal) => signal.throwIfAborted());
    await strictRunner(otelJobObserver({ tracer }))
      .runAsync(stopped, { signal, delivery })
      .catch(() => {});
    expect(delivery.nextCarrier).toEqual({ traceparent: traceparent(spans.only("job.run").spanContext()) });
  });

  test("get the headers of the application's propagator, if there is one", async () => {
    propagation.setGlobalPropagator(dashPropagator);
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));
    const first = attempt(1, { carrier: {} });
    await runner.runAsync(failing, { delivery: first }).catch(() => {});
    const { traceId, spanId } = spans.only("job.run").spanContext();
    expect(first.nextCarrier).toEqual({ "x-dash": `${traceId}/${spanId}` });

    await runner.runAsync(succeeding, {
      delivery: attempt(2, { carrier: {}, previousCarrier: first.nextCarrier }),
    });
    expect(spans.all("job.run")[1]?.links.map(({ context }) => context.spanId)).toEqual([spanId]);
  });

  test("do not keep a span open if the propagator throws", async () => {
    propagation.setGlobalPropagator(brokenPropagator("inject"));
    const { tracer, spans } = recordSpans();
    await tolerantRunner(otelJobObserver({ tracer }))
      .runAsync(failing, { delivery: attempt(1) })
      .catch(() => {});
    expect(spans.all("job.run")).toHaveLength(1);
    expect(spans.openCount).toBe(0);
  });
});
