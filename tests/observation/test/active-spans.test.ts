import { bullmqEngine, observeBullmqProcessor } from "@nidus/jobs-bullmq";
import { defineJob, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { context, propagation, type TextMapPropagator, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Queue, Worker } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import { sharedRedis } from "test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const redis = await sharedRedis();
const { hostname: host, port } = new URL(redis?.url ?? "redis://127.0.0.1");
const connection = { host, port: Number(port) };
const exporter = new InMemorySpanExporter();

/** Writes and reads `traceparent`, as the propagator of the SDK does. */
const traceparent: TextMapPropagator = {
  fields: () => ["traceparent"],
  inject(active, carrier, setter) {
    const span = trace.getSpanContext(active);
    if (span) setter.set(carrier, "traceparent", `00-${span.traceId}-${span.spanId}-01`);
  },
  extract(active, carrier, getter) {
    const [, traceId, spanId] = String(getter.get(carrier, "traceparent")).split("-");
    if (traceId === undefined || spanId === undefined) return active;
    return trace.setSpanContext(active, { traceId, spanId, traceFlags: 1, isRemote: true });
  },
};

beforeAll(() => {
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(traceparent);
});

afterAll(async () => {
  for (const api of [trace, context, propagation]) api.disable();
  await redis?.stop();
});

beforeEach(() => exporter.reset());

/** Runs one job of a queue whose producer has bullmq-otel: twice, if its first run fails. Resolves to the spans. */
async function spansOfOneJob(worksWithTelemetry: boolean, fails = false): Promise<readonly ReadableSpan[]> {
  const telemetry = new BullMQOtel("test");
  const name = `active-${crypto.randomUUID()}`;
  const queue = new Queue(name, { connection, telemetry });
  const runner = new ObservedJobRunner(otelJobObserver());
  const worker = new Worker(
    name,
    observeBullmqProcessor(runner, async ({ attemptsMade }) => {
      if (fails && attemptsMade === 0) throw new Error("the mail server is away");
      return "sent";
    }),
    { connection, ...(worksWithTelemetry && { telemetry }) },
  );
  await trace.getTracer("test").startActiveSpan("request", async (request) => {
    await queue.add("send", {}, { attempts: 2 });
    request.end();
  });
  await expect.poll(() => queue.getCompletedCount()).toBe(1);
  await worker.close();
  await queue.close();
  return exporter.getFinishedSpans();
}

describe.skipIf(redis === undefined)("a wrapped BullMQ processor", () => {
  it("makes its run a child of the span that bullmq-otel has active", async () => {
    const spans = await spansOfOneJob(true);
    const run = spans.find(({ name }) => name === "job.run");
    const parent = spans.find((span) => span.spanContext().spanId === run?.parentSpanContext?.spanId);
    expect(parent?.instrumentationScope.name).toBe("test");
    expect(parent?.name).toContain("process");
    expect(run?.spanContext().traceId).toBe(parent?.spanContext().traceId);
  });

  it("makes each run a child of its own, and links each to the producer once", async () => {
    const spans = await spansOfOneJob(true, true);
    const runs = spans.filter(({ name }) => name === "job.run");
    const parents = runs.map(({ parentSpanContext }) =>
      spans.find((span) => span.spanContext().spanId === parentSpanContext?.spanId),
    );
    expect(parents.map((parent) => parent?.name)).toEqual([
      expect.stringContaining("process"),
      expect.stringContaining("process"),
    ]);
    expect(new Set(parents).size).toBe(2);
    const [producer] = spans.filter(({ name }) => name.startsWith("add"));
    const producerId = producer?.spanContext().spanId;
    expect(runs.map(({ links }) => links.map(({ context }) => context.spanId))).toEqual([
      [producerId],
      [producerId],
    ]);
  });

  it("makes its run a root with a link to the producer, if no span is active", async () => {
    const spans = await spansOfOneJob(false);
    const run = spans.find(({ name }) => name === "job.run");
    expect(run?.parentSpanContext).toBeUndefined();
    const [link] = run?.links ?? [];
    const producer = spans.find((span) => span.spanContext().spanId === link?.context.spanId);
    expect(producer?.name).toContain("add");
    expect(run?.spanContext().traceId).not.toBe(producer?.spanContext().traceId);
  });
});

describe("a job of an engine, whose runs are to be children of the span that enqueued it", () => {
  it.each(["memory", ...(redis === undefined ? [] : ["bullmq"])])("%s", async (kind) => {
    const runner = new ObservedJobRunner(otelJobObserver({ propagation: "parent" }));
    const queue = `parent-${crypto.randomUUID()}`;
    await using engine =
      kind === "memory" ? await memoryEngine({ runner }) : await bullmqEngine({ runner, connection, queue });
    let attempts = 0;
    const job = defineJob({
      name: "send_digest",
      backoff: { fixedMs: 1 },
      async run() {
        if (++attempts === 1) throw new Error("the mail server is away");
      },
    });
    await trace.getTracer("test").startActiveSpan("request", async (request) => {
      await engine.enqueue(job);
      request.end();
    });
    await engine.work({ jobs: [job] });
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
    const spans = exporter.getFinishedSpans();
    const idOf = (name: string): string | undefined =>
      spans.find((span) => span.name === name)?.spanContext().spanId;
    const runs = spans.filter(({ name }) => name === "job.run");
    expect(runs.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
      idOf("job.enqueue"),
      idOf("job.enqueue"),
    ]);
    expect(runs.map(({ links }) => links.map(({ context }) => context.spanId))).toEqual([
      [],
      [runs[0]?.spanContext().spanId],
    ]);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  });
});
