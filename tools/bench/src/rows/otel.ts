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
import { eachShape } from "./shapes.ts";

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

interface Work {
  readonly name: string;
  run(): unknown;
}

function spanByHand(tracer: Tracer, work: Work): void {
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
}

const failingWork = job("send_digest", () => {
  throw new TypeError("no address");
});

/** Repeats a run, and catches what it throws. */
function repeated(run: () => unknown): () => void {
  return () => {
    for (let i = 0; i < operations; i++) {
      try {
        run();
      } catch {}
    }
  };
}

function byHand(tracer: Tracer): Side {
  return { label: "span by hand", run: repeated(() => spanByHand(tracer, work)) };
}

function runnerOf(tracer: Tracer): ObservedJobRunner {
  return new ObservedJobRunner(otelJobObserver({ tracer })).context("tenant", "acme");
}

function observed(tracer: Tracer): Side {
  const runner = runnerOf(tracer);
  return { label: "run with otelJobObserver", run: repeated(() => runner.run(work)) };
}

const [sampled, unsampled] = [tracerOf(true), tracerOf(false)];
const sampledRunner = runnerOf(sampled);

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
  {
    id: "otel-shapes",
    title: "run with OpenTelemetry against a span by hand, 32 classes of jobs in turn",
    operations,
    prepare: registerContextManager,
    ours: {
      label: "run with otelJobObserver",
      run: eachShape(operations, (work) => sampledRunner.run(work)),
    },
    peer: { label: "span by hand", run: eachShape(operations, (work) => spanByHand(sampled, work)) },
    asked: { atMost: 1.15 },
  },
  {
    id: "otel-failing",
    title: "failing run with OpenTelemetry against a span by hand",
    operations,
    prepare: registerContextManager,
    ours: { label: "run with otelJobObserver", run: repeated(() => sampledRunner.run(failingWork)) },
    peer: { label: "span by hand", run: repeated(() => spanByHand(sampled, failingWork)) },
    asked: { atMost: 1.5 },
    note: "an error with its stack is made in each run, on both sides",
  },
  {
    id: "otel-collected",
    title: "run with OpenTelemetry right after a full garbage collection, against a span by hand",
    operations,
    prepare: registerContextManager,
    ours: observed(sampled),
    peer: byHand(sampled),
    asked: { atMost: 1.15 },
    followsCollection: true,
  },
];
