import type { IncomingMessage, ServerResponse } from "node:http";
import { formatValue, warn } from "@nidus/jobs-core/adapter";

/** A request handler for `node:http`, Express, or the raw objects of Fastify. The promise it returns never rejects. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Where a handler gets what it answers with. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Answers GET and HEAD with the metrics, anything else with 405, and with 500 where they cannot be collected. */
export function metricsHandler(source: MetricsSource): MetricsHandler {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer(response, 405, "text/plain; charset=utf-8", "only GET and HEAD are answered here\n", {
        Allow: "GET, HEAD",
      });
    }
    try {
      answer(response, 200, source.contentType, await source.metrics());
    } catch (error) {
      warn(`metrics could not be collected: ${formatValue(error)}`);
      answer(response, 500, "text/plain; charset=utf-8", "the metrics could not be collected\n");
    }
  };
}

/** Node leaves the body out of the answer to a HEAD request by itself, and keeps its length. */
function answer(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  // Somebody in front of this handler, such as a timeout, was faster.
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(status, { ...headers, "Content-Type": contentType, "Content-Length": body.length });
  response.end(body);
}
