import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { Unpackr } from "msgpackr";

/** A span as dd-trace sends it. */
export interface SentSpan {
  readonly name: string;
  readonly resource: string;
  readonly trace_id: bigint;
  readonly span_id: bigint;
  readonly parent_id: bigint;
  readonly meta: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What Datadog's agent is to a tracer: a server on loopback that takes its traces. */
export interface Agent {
  readonly url: string;
  readonly spans: readonly SentSpan[];
  stop(): Promise<void>;
}

export async function startAgent(): Promise<Agent> {
  const spans: SentSpan[] = [];
  const unpackr = new Unpackr({ useRecords: false, int64AsType: "bigint" });
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (request.url?.endsWith("/traces")) {
      for (const trace of unpackr.unpack(body) as SentSpan[][]) {
        // Small ids come as numbers.
        for (const { trace_id, span_id, parent_id, ...span } of trace) {
          spans.push({
            ...span,
            trace_id: BigInt(trace_id),
            span_id: BigInt(span_id),
            parent_id: BigInt(parent_id),
          });
        }
      }
    }
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(request.url === "/info" ? { endpoints: ["/v0.4/traces"] } : {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
