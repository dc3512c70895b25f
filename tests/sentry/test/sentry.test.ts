import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { JobEngine } from "@nidus/jobs-durable";
import type { JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import * as Sentry from "@sentry/node";
import type { Telemetry } from "bullmq";
import { pageBlocksOf } from "checks";
import { sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

/** A span as Sentry sends it. */
interface SentSpan {
  readonly name: string;
  readonly span_id: string;
  readonly trace_id: string;
  readonly parent_span_id?: string;
  readonly attributes: Readonly<Record<string, { readonly value: unknown } | undefined>>;
  readonly links?: readonly { readonly span_id: string; readonly trace_id: string }[];
}

interface SentEvent {
  readonly exception: { readonly values: readonly { readonly type: string; readonly value: string }[] };
  readonly tags: Readonly<Record<string, string>>;
}

const [redis, postgres] = [await sharedRedis(), await sharedPostgres()];
const spans: SentSpan[] = [];
const events: SentEvent[] = [];

/** Takes what Sentry would send. */
function receive(envelope: string | Uint8Array): void {
  const lines = (typeof envelope === "string" ? envelope : new TextDecoder().decode(envelope)).split("\n");
  // After the header of the envelope, each item has a header and a body.
  for (let index = 1; index + 1 < lines.length; index += 2) {
    const { type } = JSON.parse(lines[index] as string);
    const body = JSON.parse(lines[index + 1] as string);
    if (type === "span") spans.push(...body.items);
    if (type === "event") events.push(body);
  }
}

// As in an application, Sentry is there before any library.
Sentry.init({
  dsn: "http://public@127.0.0.1/1",
  tracesSampleRate: 1,
  enableOpenTelemetrySetup: true,
  transport: (options) =>
    Sentry.createTransport(options, async ({ body }) => {
      receive(body);
      return { statusCode: 200 };
    }),
});
const { observeBullmqProcessor } = await import("@nidus/jobs-bullmq");
const { asyncJob } = await import("@nidus/jobs-core");
const { defineJob, memoryEngine } = await import("@nidus/jobs-durable");
const { ObservedJobRunner: Runner } = await import("@nidus/jobs-observe");
const { messagingSpanConvention, otelJobObserver } = await import("@nidus/jobs-otel");

let folder: string;
let untracedBookkeeping: (suppress: <T>(run: () => T) => T) => JobObserver;
let reportDeadLetters: (capture: typeof Sentry.captureException) => JobObserver;

/** Loads a recipe of a guide, as it is printed. */
async function recipe(page: string, name: string): Promise<unknown> {
  const block = pageBlocksOf(page).find(({ code }) => code.includes(`function ${name}(`));
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, `${block?.code}\nexport { ${name} };\n`);
  return (await import(pathToFileURL(file).href))[name];
}

beforeAll(async () => {
  const generated = fileURLToPath(new URL("./.generated", import.meta.url));
  mkdirSync(generated, { recursive: true });
  folder = mkdtempSync(join(generated, "recipes-"));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  untracedBookkeeping = (await recipe("tracing.md", "untracedBookkeeping")) as typeof untracedBookkeeping;
  reportDeadLetters = (await recipe("where-you-run-it.md", "reportDeadLetters")) as typeof reportDeadLetters;
  log.mockRestore();
});

afterAll(async () => {
  await Sentry.close();
  rmSync(folder, { recursive: true });
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

beforeEach(async () => {
  await sent();
  spans.length = 0;
  events.length = 0;
});

const sent = (): Promise<boolean> => Sentry.flush(60_000);

const fresh = (): string => `fresh_${crypto.randomUUID().replaceAll("-", "")}`;

/** The set-up of the guide. */
const observers = (): JobObserver[] => [
  otelJobObserver({ convention: messagingSpanConvention }),
  untracedBookkeeping(Sentry.suppressTracing),
];

const span = (name: string): SentSpan => {
  const found = spans.filter((each) => each.name === name);
  expect(found, `spans ${name}`).toHaveLength(1);
  return found[0] as SentSpan;
};

const attributesOf = ({ attributes }: SentSpan): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attributes).map(([key, each]) => [key, each?.value]));

/** The spans of a job with an operation, which is how Sentry's queue page finds them. */
const spansOf = (jobName: string, operation: string): SentSpan[] =>
  spans.filter(
    ({ attributes }) =>
      attributes["job.name"]?.value === jobName && attributes["sentry.op"]?.value === operation,
  );

/** Tells whether a span is below one of others. */
function isWithin({ parent_span_id }: SentSpan, others: readonly SentSpan[]): boolean {
  const parent = spans.find((each) => each.span_id === parent_span_id);
  return parent !== undefined && (others.includes(parent) || isWithin(parent, others));
}

/** The drivers' spans. */
const ofDrivers = (): SentSpan[] =>
  spans.filter(({ attributes }) => String(attributes["sentry.op"]?.value).startsWith("db"));

const engines: Readonly<
  Record<
    string,
    {
      isThere: boolean;
      open: (runner: ObservedJobRunner) => Promise<JobEngine>;
      query: () => Promise<unknown>;
    }
  >
> = {
  memory: { isThere: true, open: async (runner) => memoryEngine({ runner }), query: async () => {} },
  bullmq: {
    isThere: redis !== undefined,
    open: async (runner) => {
      const { bullmqEngine } = await import("@nidus/jobs-bullmq");
      return bullmqEngine({ runner, connection: { url: redis?.url ?? "" }, leaseMs: 6_000 });
    },
    query: async () => {
      const { Redis } = await import("ioredis");
      const client = new Redis(redis?.url ?? "");
      await client.get("a key");
      client.disconnect();
    },
  },
  "pg-boss": {
    isThere: postgres !== undefined,
    open: async (runner) => {
      const { pgBossEngine } = await import("@nidus/jobs-pg-boss");
      const connectionString = postgres?.url ?? "";
      return pgBossEngine({ runner, connectionString, schema: fresh(), leaseMs: 6_000 });
    },
    query: async () => {
      const { default: pg } = await import("pg");
      const client = new pg.Client(postgres?.url);
      await client.connect();
      await client.query("SELECT 1");
      await client.end();
    },
  },
};

describe.each(Object.entries(engines))(
  "a job of the engine %s, beside Sentry",
  (system, { isThere, open, query }) => {
    it.skipIf(!isThere)(
      "has the spans, attributes and headers that Sentry reads, and no others",
      async () => {
        let carrier: object | undefined;
        const runner = new Runner([
          ...observers(),
          {
            onJobStarted: ({ delivery }) => {
              carrier = delivery?.carrier;
            },
          },
        ]);
        const engine = await open(runner);
        const name = fresh();
        let attempts = 0;
        const job = defineJob<{ to: string }>({
          name,
          backoff: { fixedMs: 1_500 },
          run: async () => {
            await Sentry.startSpan({ name: "compose" }, query);
            // Between the attempts, the worker polls in vain.
            if (++attempts === 1) throw new Error("the mail server is away");
          },
        });
        await sent();
        spans.length = 0;
        // The worker's later work does not belong to the span in which it was started.
        const worker = await Sentry.startSpan({ name: "boot" }, () => engine.work({ jobs: [job] }));
        const { id } = await Sentry.startSpan({ name: "POST /orders", op: "http.server" }, () =>
          engine.enqueue(job, { to: "ada" }),
        );
        await expect.poll(async () => (await Sentry.suppressTracing(() => engine.stats())).succeeded).toBe(1);
        await worker.stop();
        await Sentry.suppressTracing(() => engine.close());
        await sent();

        const request = span("POST /orders");
        const [publish] = spansOf(name, "queue.publish") as [SentSpan];
        expect(publish).toMatchObject({ parent_span_id: request.span_id, trace_id: request.trace_id });
        const message = {
          "messaging.system": system,
          "messaging.destination.name": expect.stringContaining(name),
          "messaging.message.id": id,
          "messaging.message.body.size": 12,
        };
        expect(attributesOf(publish)).toMatchObject(message);

        const runs = spansOf(name, "queue.process");
        expect(runs.map((run) => attributesOf(run))).toEqual(
          [0, 1].map((retries) =>
            expect.objectContaining({
              ...message,
              "sentry.op": "queue.process",
              "messaging.message.retry.count": retries,
              "messaging.message.receive.latency": expect.any(Number),
            }),
          ),
        );
        for (const run of runs) {
          expect(run.parent_span_id).toBeUndefined();
          expect(run.links?.[0]).toMatchObject({ span_id: publish.span_id, trace_id: publish.trace_id });
        }
        expect(runs[1]?.links?.[1]).toMatchObject({ span_id: runs[0]?.span_id });
        const composed = spans.filter((each) => each.name === "compose");
        expect(composed.map((each) => each.parent_span_id)).toEqual(runs.map((run) => run.span_id));
        expect(Object.keys(carrier ?? {})).toEqual(expect.arrayContaining(["sentry-trace", "baggage"]));

        // Drivers are traced for the request and for handlers, and never for the engine's own work.
        if (system !== "memory") expect(ofDrivers()).not.toEqual([]);
        const own = ofDrivers().filter((each) => !isWithin(each, [request, ...composed]));
        expect(own.map((each) => each.name)).toEqual([]);
        const known = [request, span("boot"), ...runs];
        const others = spans.filter((each) => !known.includes(each) && !isWithin(each, known));
        expect(others.map((each) => each.name)).toEqual([]);
      },
    );
  },
);

describe("work that a store does on a timer, beside Sentry", () => {
  it.skipIf(redis === undefined)("makes no spans, when BullMQ's ended jobs are deleted", async () => {
    const { bullmqEngine } = await import("@nidus/jobs-bullmq");
    const runner = new Runner(observers());
    const connection = { url: redis?.url ?? "" };
    const engine = await bullmqEngine({ runner, connection, queue: fresh(), retainSucceededMs: 1_000 });
    await sent();
    spans.length = 0;
    const job = defineJob({ name: fresh(), run() {} });
    await engine.work({ jobs: [job] });
    await Sentry.suppressTracing(async () => {
      const { id } = await engine.enqueue(job);
      await expect.poll(async () => (await engine.job(id))?.state).toBe("succeeded");
      await expect.poll(() => engine.job(id)).toBeUndefined();
      await engine.close();
    });
    await sent();
    expect(ofDrivers().map(({ name }) => name)).toEqual([]);
  });
});

describe("runs beside Sentry", () => {
  it("are children of the active span, if no engine delivers them", async () => {
    const runner = new Runner(observers());
    await Sentry.startSpan({ name: "GET /" }, () => runner.runAsync(asyncJob("render", async () => {})));
    await sent();
    expect(span("job.run")).toMatchObject({
      parent_span_id: span("GET /").span_id,
      trace_id: span("GET /").trace_id,
    });
  });

  it("are children of the span that enqueued their job, if the observer is told so", async () => {
    const convention = messagingSpanConvention;
    const runner = new Runner([
      otelJobObserver({ convention, propagation: "parent" }),
      ...observers().slice(1),
    ]);
    const engine = memoryEngine({ runner });
    const name = fresh();
    const job = defineJob({ name, run() {} });
    await Sentry.startSpan({ name: "POST /orders" }, () => engine.enqueue(job));
    await engine.work({ jobs: [job] });
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
    await engine.close();
    await sent();
    const [publish] = spansOf(name, "queue.publish");
    expect(publish?.parent_span_id).toBe(span("POST /orders").span_id);
    const { span_id, trace_id } = publish as SentSpan;
    expect(spansOf(name, "queue.process")).toMatchObject([{ parent_span_id: span_id, trace_id }]);
  });

  it.skipIf(redis === undefined)(
    "of a wrapped BullMQ processor link to the producer, whose queue has Sentry's telemetry",
    async () => {
      const { Queue, Worker } = await import("bullmq");
      const connection = { url: redis?.url ?? "" };
      const name = fresh();
      const queue = new Queue(name, { connection, telemetry: new Sentry.BullMQTelemetry() as Telemetry });
      const worker = new Worker(
        name,
        observeBullmqProcessor(new Runner(observers()), async () => "sent"),
        { connection },
      );
      await Sentry.startSpan({ name: "POST /orders" }, () => queue.add("send", {}));
      await expect.poll(() => queue.getCompletedCount()).toBe(1);
      await worker.close();
      await queue.close();
      await sent();
      const run = span(`process ${name}`);
      expect(attributesOf(run)).toMatchObject({ "sentry.op": "queue.process", "messaging.system": "bullmq" });
      const producer = spans.find((each) => each.span_id === run.links?.[0]?.span_id);
      expect(producer).toMatchObject({ trace_id: span("POST /orders").trace_id });
      expect(attributesOf(producer as SentSpan)["sentry.op"]).toBe("queue.publish");
    },
  );

  it.skipIf(redis === undefined)(
    "of a wrapped BullMQ processor are children of Sentry's own span, whose worker has Sentry's telemetry",
    async () => {
      const { Queue, Worker } = await import("bullmq");
      const connection = { url: redis?.url ?? "" };
      const telemetry = new Sentry.BullMQTelemetry() as Telemetry;
      const name = fresh();
      const queue = new Queue(name, { connection, telemetry });
      const process = observeBullmqProcessor(new Runner(observers()), async ({ attemptsMade }) => {
        await Sentry.startSpan({ name: "compose" }, async () => {});
        if (attemptsMade === 0) throw new Error("the mail server is away");
      });
      // The worker's later work does not belong to the span in which it was made.
      const worker = Sentry.startSpan(
        { name: "boot" },
        () => new Worker(name, process, { connection, telemetry }),
      );
      await Sentry.startSpan({ name: "POST /orders" }, () => queue.add("send", {}, { attempts: 2 }));
      await expect.poll(() => queue.getCompletedCount()).toBe(1);
      await worker.close();
      await queue.close();
      await sent();
      // Sentry's spans and ours, by the attribute that ours have.
      const all = spans.filter(({ attributes }) => attributes["sentry.op"]?.value === "queue.process");
      const ours = all.filter(({ attributes }) => attributes["job.name"]);
      const theirs = all.filter((each) => !ours.includes(each));
      expect([ours.length, theirs.length]).toEqual([2, 2]);
      const [producer] = spans.filter(
        ({ attributes }) => attributes["sentry.op"]?.value === "queue.publish",
      ) as [SentSpan];
      expect(producer.trace_id).toBe(span("POST /orders").trace_id);
      for (const [index, run] of ours.entries()) {
        expect(run).toMatchObject({
          parent_span_id: theirs[index]?.span_id,
          trace_id: theirs[index]?.trace_id,
        });
        expect(run.links?.map((link) => link.span_id)).toEqual([producer.span_id]);
      }
      expect(new Set(ours.map((run) => run.trace_id)).size).toBe(2);
      const composed = spans.filter((each) => each.name === "compose");
      expect(composed.map((each) => each.parent_span_id)).toEqual(ours.map((run) => run.span_id));
    },
  );

  it("are reported when their job has failed for good, and not before", async () => {
    const runner = new Runner([...observers(), reportDeadLetters(Sentry.captureException)]);
    const chargeCard = defineJob({
      name: "charge_card",
      maxAttempts: 2,
      backoff: { fixedMs: 1 },
      run: () => Promise.reject(new RangeError("the card has expired")),
    });
    const engine = memoryEngine({ runner });
    const { id } = await engine.enqueue(chargeCard);
    await engine.work({ jobs: [chargeCard] });
    await expect.poll(async () => (await engine.stats()).deadLettered).toBe(1);
    await engine.close();
    await sent();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      exception: { values: [{ type: "RangeError", value: "the card has expired" }] },
      tags: { job_name: "charge_card", job_id: id },
    });
  });
});
