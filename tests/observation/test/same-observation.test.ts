import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bullmqEngine } from "@nidus/jobs-bullmq";
import { defineJob, type JobEngine, memoryEngine, PermanentJobError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { pgBossEngine } from "@nidus/jobs-pg-boss";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import { SpanStatusCode } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { prepareEmbeddedFolder, sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";

const [redis, postgres] = [await sharedRedis(), await sharedPostgres()];
const folder = await mkdtemp(join(tmpdir(), "nidus-observation-"));

afterAll(async () => {
  await redis?.stop();
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a name that no store has. */
const fresh = (): string => `fresh_${crypto.randomUUID().replaceAll("-", "")}`;

type Create = (runner: ObservedJobRunner) => JobEngine | Promise<JobEngine>;

/** A label of metrics has it, so it is the same for every kind. */
const named = { name: "orders" };

const engines: Readonly<Record<string, Create>> = {
  memory: (runner) => memoryEngine({ ...named, runner }),
  "pg-boss, embedded": async (runner) => {
    const dataDir = join(folder, fresh());
    await prepareEmbeddedFolder(dataDir);
    return pgBossEngine({ ...named, runner, dataDir });
  },
  ...(postgres && {
    "pg-boss": (runner) =>
      pgBossEngine({ ...named, runner, connectionString: postgres.url, schema: fresh() }),
  }),
  ...(redis && {
    bullmq: (runner) => bullmqEngine({ ...named, runner, connection: { url: redis.url }, queue: fresh() }),
  }),
};

/** Runs jobs that end in every possible way. Resolves to their metrics and spans. */
async function observe(create: Create, propagation: "link" | "parent") {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const metrics = prometheusJobObserver();
  const tracer = provider.getTracer("test");
  const runner = new ObservedJobRunner([metrics, otelJobObserver({ tracer, propagation })]);
  await using engine = await create(runner);
  let hasSnoozed = false;
  const job = defineJob<string>({
    name: "send_digest",
    objectives: { succeedEveryMs: 3_600_000, finishWithinMs: 500 },
    maxAttempts: 2,
    backoff: { baseMs: 1, maxMs: 1 },
    run(payload, { delivery, snooze }) {
      if (payload === "later" && !hasSnoozed) {
        hasSnoozed = true;
        snooze(1);
      }
      if (payload === "never") throw new PermanentJobError("no such user");
      if (payload === "second" && delivery?.attempt === 1) throw new RangeError("once");
    },
  });
  await engine.enqueueMany(job, ["first", "second", "never", "later"], { correlationId: "order 7" });
  const waits = defineJob({ name: "waits", run() {} });
  await engine.enqueue(waits, undefined);
  await engine.enqueue(waits, undefined);
  const worker = await engine.work({ jobs: [job] });
  const hasEnded = async (): Promise<boolean> => {
    const { succeeded, deadLettered } = (await engine.stats()).byName.send_digest ?? {};
    return succeeded === 3 && deadLettered === 1;
  };
  while (!(await hasEnded())) await pause(10);
  // Observers hear of an outcome after the store has recorded it.
  let text = await metrics.metrics();
  while (!text.includes('nidus_jobs_dead_lettered_total{job_name="send_digest"} 1')) {
    await pause(10);
    text = await metrics.metrics();
  }
  await worker.stop();
  return { text, spans: exporter.getFinishedSpans() };
}

/** Keeps the samples of an exposition that do not depend on the clock. */
function samplesOf(text: string): string[] {
  return text
    .split("\n")
    .filter(
      (line) => !line.startsWith("#") && line !== "" && !/_(seconds_bucket|seconds_sum)|timestamp/.test(line),
    );
}

function described(span: ReadableSpan): object {
  const { "job.run_id": runId, "job.delivery.id": id, ...attributes } = span.attributes;
  const rest = Object.fromEntries(
    Object.entries(attributes).filter(
      ([key]) => !/engine|queue|system|destination|message\.id|\.id$/.test(key),
    ),
  );
  return {
    name: span.name,
    kind: span.kind,
    status: span.status.code,
    attributes: rest,
    links: span.links.length,
  };
}

const inOrder = (spans: readonly ReadableSpan[]): string[] =>
  spans.map((span) => JSON.stringify(described(span))).sort();

const reference = await observe(engines.memory as Create, "link");

describe.each(Object.keys(engines))("observation on %s", (name) => {
  it("makes the same metrics and spans as on every other engine", async () => {
    const { text, spans } = await observe(engines[name] as Create, "link");
    expect(samplesOf(text)).toEqual(samplesOf(reference.text));
    for (const sample of [
      'nidus_jobs_enqueued_total{job_name="send_digest"} 4',
      'nidus_job_retries_total{job_name="send_digest"} 1',
      'nidus_jobs_dead_lettered_total{job_name="send_digest"} 1',
      'nidus_job_wait_seconds_count{job_name="send_digest"} 6',
      'nidus_jobs_finished_total{job_name="send_digest",status="success"} 3',
      'nidus_jobs_finished_total{job_name="send_digest",status="failure"} 2',
      // The run that snoozed.
      'nidus_jobs_finished_total{job_name="send_digest",status="cancelled"} 1',
      'nidus_jobs_waiting{job_name="waits"} 2',
      'nidus_jobs_waiting{job_name="send_digest"} 0',
      'nidus_dead_letters{job_name="send_digest"} 1',
      'nidus_dead_letters{job_name="waits"} 0',
      'nidus_job_objective_success_interval_seconds{job_name="send_digest"} 3600',
      'nidus_engine_up{engine="orders"} 1',
    ]) {
      expect(samplesOf(text)).toContain(sample);
    }
    expect(text).toMatch(/^nidus_job_oldest_waiting_timestamp_seconds\{job_name="waits"\} \d+/m);
    expect(text).toMatch(/^nidus_dead_letter_oldest_timestamp_seconds\{job_name="send_digest"\} \d+/m);
    expect(text).toMatch(/^nidus_worker_last_fetch_timestamp_seconds\{engine="orders"\} \d+/m);
    expect(inOrder(spans)).toEqual(inOrder(reference.spans));
    const failed = spans.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.length, "a run that snoozes is no error").toBe(2);
  });

  it("links runs to the span that enqueued them, or makes them its children", async () => {
    const linked = await observe(engines[name] as Create, "link");
    const [producer] = linked.spans.filter((span) => span.name === "job.enqueue");
    const runs = linked.spans.filter((span) => span.name === "job.run");
    expect(runs).toHaveLength(6);
    for (const run of runs) {
      expect(run.links[0]?.context.spanId).toBe(producer?.spanContext().spanId);
      expect(run.spanContext().traceId).not.toBe(producer?.spanContext().traceId);
    }
    const children = await observe(engines[name] as Create, "parent");
    const [parent] = children.spans.filter((span) => span.name === "job.enqueue");
    for (const run of children.spans.filter((span) => span.name === "job.run")) {
      expect(run.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
      expect(run.spanContext().traceId).toBe(parent?.spanContext().traceId);
    }
  });
});
