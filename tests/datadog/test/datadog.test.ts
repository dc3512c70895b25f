import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sharedPostgres, sharedRedis } from "test-servers";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type SentSpan, startAgent } from "./support/agent.ts";

const node = Number.parseInt(process.versions.node, 10);
/** The majors of dd-trace. 6 needs Node 22: `pnpm test:node-24` runs its tests. */
const tracers = [
  { tracer: "dd-trace-5", canRun: true },
  { tracer: "dd-trace", canRun: node >= 22 },
];
const [redis, postgres] = [await sharedRedis(), await sharedPostgres()];
const folder = fileURLToPath(new URL("support", import.meta.url));

afterAll(async () => {
  await Promise.all([redis?.stop(), postgres?.stop()]);
});

/** Runs a program with a dd-trace to its end. Resolves to what it printed, and to what the agent got. */
async function run(
  tracer: string,
  args: readonly string[],
  disabled = "",
): Promise<{ printed: string; spans: readonly SentSpan[] }> {
  const agent = await startAgent();
  onTestFinished(() => agent.stop());
  const env = {
    ...process.env,
    TRACER: tracer,
    DD_TRACE_AGENT_URL: agent.url,
    DD_TRACE_DISABLED_INSTRUMENTATIONS: disabled,
    // Nothing but traces is sent, and nothing but the agent is asked.
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: "false",
    DD_REMOTE_CONFIGURATION_ENABLED: "false",
    DD_CRASHTRACKING_ENABLED: "false",
    DD_TRACE_STARTUP_LOGS: "false",
  };
  const options = ["--import", `${tracer}/initialize.mjs`, ...args];
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: folder, env });
  return { printed: stdout, spans: agent.spans };
}

const named = (spans: readonly SentSpan[], resource: string): SentSpan => {
  const found = spans.filter((each) => each.resource === resource);
  expect(found, `spans ${resource}`).toHaveLength(1);
  return found[0] as SentSpan;
};

/** The ids of the spans to which a span is linked. */
const linksOf = ({ meta }: SentSpan): bigint[] =>
  JSON.parse(meta["_dd.span_links"] ?? "[]").map(({ span_id }: { span_id: string }) =>
    BigInt(`0x${span_id}`),
  );

/** The plugins of the engines' drivers. */
const driversOff = "bullmq,ioredis,pg,net";
const systems = { memory: "none", bullmq: redis?.url, "pg-boss": postgres?.url };

describe.each(tracers)("beside $tracer", ({ tracer, canRun }) => {
  it.skipIf(!canRun).each(Object.entries(systems).filter(([, url]) => url !== undefined))(
    "a job of the engine %s has its spans, and with the plugins of the drivers off there are no others",
    async (system, url = "") => {
      const { printed, spans } = await run(tracer, ["service.mjs", system, url], driversOff);
      const { id, headers } = JSON.parse(printed);
      expect(headers).toEqual(["traceparent", "tracestate"]);

      const request = named(spans, "POST /orders");
      const isRun = ({ meta }: SentSpan): boolean => meta["messaging.operation.name"] === "process";
      const runs = spans.filter(isRun);
      const [publish] = spans.filter(({ meta }) => meta["messaging.operation.name"] === "send");
      expect(named(spans, "job.run").parent_id).toBe(request.span_id);
      expect(publish?.parent_id).toBe(request.span_id);
      const message = {
        "messaging.system": system,
        "messaging.destination.name": expect.stringContaining("send_digest"),
        "messaging.message.id": id,
      };
      for (const each of [publish, ...runs]) {
        expect(each?.meta).toMatchObject(message);
        expect(each?.metrics).toMatchObject({ "messaging.message.body.size": 12 });
      }
      expect(runs.map(({ metrics }) => metrics["messaging.message.retry.count"])).toEqual([0, 1]);
      expect(runs.map(({ parent_id }) => parent_id)).toEqual([0n, 0n]);
      expect(runs.map(linksOf)).toEqual([[publish?.span_id], [publish?.span_id, runs[0]?.span_id]]);
      const composed = spans.filter(({ resource }) => resource === "compose");
      expect(composed.map(({ parent_id }) => parent_id)).toEqual(runs.map(({ span_id }) => span_id));
      expect(spans).toHaveLength(8);
      expect(named(spans, "boot").parent_id).toBe(0n);
    },
  );

  it.skipIf(!canRun)(
    "the runs of a job are children of the span that enqueued it, if the observer is told so",
    async () => {
      const { spans } = await run(tracer, ["service.mjs", "memory", "none", "parent"], driversOff);
      const [publish] = spans.filter(({ meta }) => meta["messaging.operation.name"] === "send");
      const runs = spans.filter(({ meta }) => meta["messaging.operation.name"] === "process");
      expect(runs.map(({ parent_id }) => parent_id)).toEqual([publish?.span_id, publish?.span_id]);
      expect(runs.map(linksOf)).toEqual([[], [runs[0]?.span_id]]);
      expect(new Set([publish, ...runs].map((each) => each?.trace_id)).size).toBe(1);
    },
  );

  it.skipIf(!canRun || redis === undefined)(
    "the run of a wrapped BullMQ processor is a child of the span of dd-trace's plugin",
    async () => {
      const { spans } = await run(tracer, ["wrapped-worker.mjs", redis?.url ?? ""]);
      const [processing] = spans.filter(({ name }) => name === "bullmq.processJob");
      const jobRun = named(spans, "job.run");
      expect(jobRun.meta["job.name"]).toBe("wrapped");
      expect(jobRun.parent_id).toBe(processing?.span_id);
      expect(named(spans, "compose").parent_id).toBe(jobRun.span_id);
    },
  );
});
