import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileWorkspace } from "./support/compiled-workspace.ts";

const installedFor = (project: string): string =>
  join(import.meta.dirname, "../../../tests", project, "node_modules/@opentelemetry");

/** Both lines use the same package names, so each is installed in a workspace project of its own. */
const lines: [line: string, packages: string | undefined, version: RegExp][] = [
  ["2.x", undefined, /^2\./],
  ["2.x, the oldest that is taken", installedFor("opentelemetry-2"), /^2\.0\.0$/],
  ["3.x", installedFor("opentelemetry-3"), /^3\./],
];

/** A service with a pipeline and a collector in the same process. Prints what the collector received. */
const service = `
  import { once } from "node:events";
  import { createServer } from "node:http";
  import { setTimeout as pause } from "node:timers/promises";
  import { otelPipeline } from "@nidus/jobs-otel/sdk";
  import { production } from "@nidus/observability";

  const requests = [];
  const collector = createServer(async (request, response) => {
    const chunks = await request.toArray();
    requests.push({ path: request.url, key: request.headers["x-key"], body: Buffer.concat(chunks).toString("latin1") });
    response.end();
  }).listen(0, "127.0.0.1");
  await once(collector, "listening");

  process.env.OTEL_BSP_MAX_QUEUE_SIZE = "4";
  process.env.OTEL_RESOURCE_ATTRIBUTES = "service.namespace=shop";
  let pipeline;
  const observability = production("users-api").version("1.4.2").otel((identity) => {
    pipeline = otelPipeline({ ...identity, endpoint: "http://127.0.0.1:" + collector.address().port, headers: { "x-key": "k" } });
    return pipeline;
  });
  const runner = observability.jobRunner();
  await runner.runAsync({
    name: "send_digest",
    async run() {
      await pause(1);
      const child = pipeline.tracer.startSpan("query");
      child.end();
      throw new RangeError("no such user");
    },
  }).catch(() => {});
  await observability.forceFlush();
  // As many as are sent at once, as many as may wait behind them, and three more.
  for (let i = 0; i < 4 + 4 + 3; i++) runner.run({ name: "reindex", run() {} });
  await observability.shutdown();
  collector.close();
  const resource = pipeline.tracerProvider.getTracer("other").startSpan("x").resource?.attributes;
  console.log(JSON.stringify({ requests, dropped: pipeline.droppedSpans, resource }));
`;

describe.each(lines)("on OpenTelemetry %s", (_line, packages, version) => {
  test("the pipeline sends spans of runs, and counts dropped spans", async () => {
    await using workspace = await compileWorkspace(packages);

    const { requests, dropped, resource } = JSON.parse(await workspace.run(service)) as {
      requests: { path: string; key: string; body: string }[];
      dropped: number;
      resource: Record<string, string>;
    };

    expect(requests.map(({ path, key }) => [path, key])).toEqual([
      ["/v1/traces", "k"],
      ["/v1/traces", "k"],
      ["/v1/traces", "k"],
    ]);
    for (const text of ["send_digest", "query", "RangeError", "no such user", "users-api", "1.4.2"]) {
      expect(requests[0]?.body).toContain(text);
    }
    expect(requests.map(({ body }) => body.split("reindex").length - 1)).toEqual([0, 4, 4]);
    expect(dropped).toBe(3);
    expect(resource).toMatchObject({ "service.name": "users-api", "service.namespace": "shop" });
    expect(resource["telemetry.sdk.version"]).toMatch(version);
  });
});
