import { formatValue, warn } from "@nidus/jobs-core/adapter";
import { answer, isReading, type RequestHandler } from "./http-answer.ts";

/** Handles requests of `node:http`, Express, or the raw objects of Fastify. The promise it returns never rejects. */
export type MetricsHandler = RequestHandler;

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
    if (!isReading(request, response)) return;
    try {
      answer(response, 200, source.contentType, await source.metrics());
    } catch (error) {
      warn(`metrics could not be collected: ${formatValue(error)}`);
      answer(response, 500, "text/plain; charset=utf-8", "the metrics could not be collected\n");
    }
  };
}
