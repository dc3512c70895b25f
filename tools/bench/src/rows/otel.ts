import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { context, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import type { Comparison, Side } from "../comparison.ts";

const operations = 200;
const work = job("send_digest", () => {});

/** Accepts every batch at once, so that the bench measures the span and not the network. */
const discarding: SpanExporter = {
  export: (_spans, onResult) => onResult({ code: 0 }),
  shutdown: async () => {},
};

function tracerOf(isSampled: boolean): Tracer {
  const provider = new BasicTracerProvider({
    sampler: isSampled ? new AlwaysOnSampler() : new AlwaysOffSampler(),
    spanProcessors: [new BatchSpanProcessor(discarding)],
  });
  return provider.getTracer("bench");
}

function byHand(tracer: Tracer): Side {
  const runOnce = (): void =>
    tracer.startActiveSpan(
      "job.run",
      { attributes: { "job.name": work.name, "job.run_id": crypto.randomUUID(), tenant: "acme" } },
      (span) => {
        try {
          work.run();
        } catch (error) {
          span.recordException(error as Error);
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      },
    );
  return {
    label: "span by hand",
    run: () => {
      for (let i = 0; i < operations; i++) runOnce();
    },
  };
}

function observed(tracer: Tracer): Side {
  const runner = new ObservedJobRunner(otelJobObserver({ tracer })).context("tenant", "acme");
  return {
    label: "run with otelJobObserver",
    run: () => {
      for (let i = 0; i < operations; i++) runner.run(work);
    },
  };
}

const [sampled, unsampled] = [tracerOf(true), tracerOf(false)];

/** Without a context manager no span is ever active. */
function registerContextManager(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
}

export const otelComparisons: readonly Comparison[] = [
  {
    id: "otel-sampled",
    title: "run with OpenTelemetry against a span by hand with the same attributes",
    operations,
    prepare: registerContextManager,
    ours: observed(sampled),
    peer: byHand(sampled),
    asked: { atMost: 1.15 },
  },
  {
    id: "otel-unsampled",
    title: "the same with a sampler that says no",
    operations,
    prepare: registerContextManager,
    ours: observed(unsampled),
    peer: byHand(unsampled),
    asked: { atMost: 1 },
    note: "by hand the run id is made before the sampler is asked; ours is not made at all",
  },
];
