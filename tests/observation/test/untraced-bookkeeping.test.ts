import { createRequire } from "node:module";
import { defineJob, type JobEngine, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { IORedisInstrumentation } from "@opentelemetry/instrumentation-ioredis";
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

const [redis, postgres] = [await sharedRedis(), await sharedPostgres()];
const exporter = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = tracerProvider.getTracer("test");

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
registerInstrumentations({
  tracerProvider,
  instrumentations: [new PgInstrumentation(), new IORedisInstrumentation({ requireParentSpan: false })],
});
// Requiring a library instruments it, before an engine imports it.
const require = createRequire(import.meta.url);
createRequire(require.resolve("pg-boss"))("pg");
require("ioredis");

afterAll(async () => {
  context.disable();
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

beforeEach(() => exporter.reset());

const fresh = (): string => `fresh_${crypto.randomUUID().replaceAll("-", "")}`;

const spans = (): ReadableSpan[] => exporter.getFinishedSpans();

/** Lists the spans of libraries, without those of the engine and the test. */
const ofLibraries = (): string[] =>
  spans()
    .map(({ name }) => name)
    .filter((name) => !["job.run", "job.enqueue", "in the handler"].includes(name));

/** Runs an engine like a service: it works, then idles for some polls. */
async function work(engine: JobEngine): Promise<void> {
  const job = defineJob<string>({
    name: fresh(),
    backoff: { baseMs: 1, maxMs: 1 },
    run(payload, { delivery }) {
      tracer.startActiveSpan("in the handler", (span) => span.end());
      if (payload === "twice" && delivery?.attempt === 1) throw new Error("once");
    },
  });
  // Started as in a traced request, which the worker's later work does not belong to.
  const worker = await tracer.startActiveSpan("a request", async (span) => {
    await engine.enqueueMany(job, ["once", "twice"]);
    await engine.enqueue(job, "later", { runAt: new Date(Date.now() + 1_500) });
    exporter.reset();
    const started = await engine.work({ jobs: [job], concurrency: 2 });
    span.end();
    return started;
  });
  // Between the first two jobs and the last, the worker polls a few times in vain.
  await expect.poll(() => spans().filter(({ name }) => name === "job.run").length).toBe(4);
  await worker.stop();
}

/** Long enough to be renewed during the test, and not to be lost on a busy machine. */
const leaseMs = 6_000;

const runner = new ObservedJobRunner(otelJobObserver({ tracer }));

describe("an engine's own work with an instrumented driver", () => {
  it.skipIf(postgres === undefined)("makes no spans on pg-boss", async () => {
    const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
    const connectionString = postgres?.url ?? "";
    const engine = await pgBossEngine({ runner, connectionString, schema: fresh(), leaseMs });
    await work(engine);
    expect(ofLibraries()).toEqual(["a request"]);
    expect(spans().filter(({ name }) => name === "in the handler")).toHaveLength(4);
    exporter.reset();
    await engine.stats();
    expect(ofLibraries().join(), "what the application asks for is traced").toMatch(/pg/);
    await engine.close();
  });

  it.skipIf(redis === undefined)("makes no spans on BullMQ", async () => {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    const connection = { url: redis?.url ?? "" };
    const engine = await bullmqEngine({ runner, connection, queue: fresh(), leaseMs });
    await work(engine);
    expect(ofLibraries()).toEqual(["a request"]);
    expect(spans().filter(({ name }) => name === "in the handler")).toHaveLength(4);
    exporter.reset();
    await engine.stats();
    expect(ofLibraries().join(), "what the application asks for is traced").not.toBe("");
    await engine.close();
  });
});

describe("a job of a worker that was started within a span", () => {
  it("has a trace of its own while that span is open, including the spans of its handler", async () => {
    const engine = memoryEngine({ runner });
    await tracer.startActiveSpan("the whole service", async (span) => {
      await work(engine);
      span.end();
    });
    const runs = spans().filter(({ name }) => name === "job.run");
    expect(runs.map(({ parentSpanContext }) => parentSpanContext)).toEqual(runs.map(() => undefined));
    const within = spans().filter(({ name }) => name === "in the handler");
    const parents = within.map(({ parentSpanContext }) => parentSpanContext?.spanId);
    expect(parents.sort()).toEqual(runs.map((run) => run.spanContext().spanId).sort());
    await engine.close();
  });
});
