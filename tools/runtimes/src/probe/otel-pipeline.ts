import { deepEqual, equal } from "node:assert/strict";
import { job } from "@nidus/jobs-core";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { otelJobObserver } from "@nidus/jobs-otel";
import { otelPipeline } from "@nidus/jobs-otel/sdk";
import type { Checks } from "./check.ts";
import { withServer } from "./loopback.ts";

export const checks: Checks = {
  async "a pipeline sends spans to a collector"() {
    const requests: { url: string | undefined; key: unknown; body: string }[] = [];
    const collect: Parameters<typeof withServer>[0] = async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      requests.push({
        url: request.url,
        key: request.headers["x-api-key"],
        body: Buffer.concat(chunks).toString("latin1"),
      });
      response.writeHead(200).end();
    };
    await withServer(collect, async (endpoint) => {
      const pipeline = otelPipeline({
        serviceName: "users-api",
        endpoint,
        headers: { "x-api-key": "sesame" },
      });
      const runner = new ObservedJobRunner(otelJobObserver({ tracer: pipeline.tracer }));
      runner.run(job("send_digest", () => {}));
      await pipeline.shutdown();
    });
    deepEqual(
      requests.map(({ url, key }) => [url, key]),
      [["/v1/traces", "sesame"]],
    );
    // Names and values are plain text in protobuf.
    for (const text of ["users-api", "job.run", "send_digest"]) {
      equal(requests[0]?.body.includes(text), true, `${text} was not sent`);
    }
  },
};
