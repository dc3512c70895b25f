import type { IncomingMessage, ServerResponse } from "node:http";
import { formatValue, warn } from "@nidus/jobs-core/adapter";

/** Handles requests of `node:http`, Express, or the raw objects of Fastify. The promise it returns never rejects. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Provides the metrics that a handler answers with. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/**
 * Answers GET and HEAD with the metrics, and other methods with 405. Answers 500 if the metrics cannot be collected; a
 * process warning then says why.
 */
export function metricsHandler(source: MetricsSource): MetricsHandler {
  return async (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer(response, 405, "text/plain; charset=utf-8", "use GET or HEAD\n", {
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

/** Node leaves out the body of an answer to a HEAD request itself, and keeps its length. */
function answer(
  response: ServerResponse,
  status: number,
  contentType: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  // Code in front of this handler, such as a timeout, has answered first.
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(status, { ...headers, "Content-Type": contentType, "Content-Length": body.length });
  response.end(body);
}
