import { join } from "node:path";
import { type JobEngine, type JobWorker, memoryEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { prepareEmbeddedFolder } from "test-servers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type openEngine as OpenEngine, workJob } from "../src/open-engine.ts";
import type { EngineTask } from "../src/task.ts";
import { Child } from "./support/child.ts";
import { eventually } from "./support/eventually.ts";
import { postgresToKill, redisToKill } from "./support/servers.ts";
import { type OnFinished, temporaryFolder } from "./support/temporary-folder.ts";

/** Long enough that only a death loses the lease, even on a busy machine. */
const leaseMs = 3_000;

/** The attempt whose worker dies. It comes after one that failed, one that snoozed, and another that failed. */
const deadly = 3;

type Open = (observer: ReturnType<typeof otelJobObserver>) => Promise<JobEngine>;

/** Runs a job through all of it. Resolves to its spans, in the order in which they began: that of the enqueue first. */
async function spansOf(open: Open, dieIn: (() => Promise<void>) | undefined): Promise<ReadableSpan[]> {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const observer = otelJobObserver({ tracer: provider.getTracer("test") });
  let engine = await open(observer);
  let hasSnoozed = false;
  let worker: JobWorker | undefined;
  let stopped: Promise<unknown> | undefined;
  const job = workJob((_, { delivery, snooze }) => {
    const { attempt = 0 } = delivery ?? {};
    if (attempt === 2 && !hasSnoozed) {
      hasSnoozed = true;
      snooze(1);
    }
    if (attempt === 2 && dieIn !== undefined) stopped = worker?.stop();
    if (attempt <= 2 || attempt === deadly + 1) throw new Error(`attempt ${attempt}`);
  });
  const { id } = await engine.enqueue(job, { runMs: 10, deadlyAttempts: deadly });
  worker = await engine.work({ jobs: [job] });
  if (dieIn !== undefined) {
    await eventually(
      () => stopped !== undefined,
      () => "the second attempt did not fail",
    );
    await stopped;
    await engine.close();
    await dieIn();
    engine = await open(observer);
    await engine.work({ jobs: [job] });
  }
  await eventually(
    async () => (await engine.job(id))?.state === "succeeded",
    () => "the job did not succeed",
  );
  await engine.close();
  const spans = exporter.getFinishedSpans();
  return spans.sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
}

/** Names each span by its place: the enqueue is 0. Returns the links of each run. */
function linksOf(spans: readonly ReadableSpan[]): (readonly number[])[] {
  const places = new Map(spans.map((span, index) => [span.spanContext().spanId, index]));
  return spans.slice(1).map(({ links }) => links.map(({ context }) => places.get(context.spanId) ?? -1));
}

describe("the spans of a job's attempts", async () => {
  const [redis, postgres] = await Promise.all([redisToKill(), postgresToKill()]);
  afterAll(() => Promise.all([redis?.stop(), postgres?.stop()]));

  it("are linked through a retry and a snooze, in memory", async () => {
    const open: Open = async (observer) => memoryEngine({ runner: new ObservedJobRunner(observer) });
    const spans = await spansOf(open, undefined);
    expect(spans.map(({ name }) => name)).toEqual(["job.enqueue", ...Array(4).fill("job.run")]);
    expect(linksOf(spans)).toEqual([[0], [0, 1], [0, 2], [0, 3]]);
  });

  const kinds = [
    { name: "BullMQ 5", kind: "bullmq", place: redis?.url, isNewerMajor: false },
    { name: "BullMQ 6", kind: "bullmq", place: redis?.url, isNewerMajor: true },
    { name: "pg-boss 10", kind: "pg-boss", place: postgres?.url, isNewerMajor: false },
    { name: "pg-boss 12", kind: "pg-boss", place: postgres?.url, isNewerMajor: true },
    { name: "PGlite", kind: "pglite", place: "", isNewerMajor: false },
  ] as const;

  for (const { name, kind, place, isNewerMajor } of kinds) {
    it.skipIf(place === undefined)(
      `are linked through a retry, a snooze and a worker's death, after which none is, on ${name}`,
      async ({ onTestFinished }) => {
        const { openEngine } = await withMajor(isNewerMajor);
        const folder = await temporaryFolder(onTestFinished);
        const space = `linked_${isNewerMajor}`;
        const task: EngineTask = { kind, place: place || join(folder, "jobs"), space, leaseMs, isNewerMajor };
        if (kind === "pglite") await prepareEmbeddedFolder(task.place);
        const open: Open = (observer) => openEngine(task, () => {}, [observer]);
        const spans = await spansOf(open, () => die(task, join(folder, "log"), onTestFinished));
        expect(spans.map(({ name }) => name)).toEqual(["job.enqueue", ...Array(5).fill("job.run")]);
        // The span of the attempt that died was never exported, and the attempt after it has no link to an older one.
        expect(linksOf(spans)).toEqual([[0], [0, 1], [0, 2], [0], [0, 4]]);
      },
    );
  }
});

/** Loads the engines with the older or the newer major of their library. */
async function withMajor(isNewerMajor: boolean): Promise<{ openEngine: typeof OpenEngine }> {
  vi.resetModules();
  vi.doMock("bullmq", () => (isNewerMajor ? import("bullmq-6") : vi.importActual<object>("bullmq")));
  vi.doMock("pg-boss", async () =>
    isNewerMajor
      ? { ...(await import("pg-boss-12")), default: undefined }
      : { ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined },
  );
  return import("../src/open-engine.ts");
}

/** Runs the job in a process that dies of it. */
async function die(engine: EngineTask, log: string, onFinished: OnFinished): Promise<void> {
  const worker = new Child({ role: "work", engine, log, concurrency: 1 }, onFinished);
  await worker.ended;
  worker.requireSound();
}
