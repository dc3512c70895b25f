import { propertyOf } from "@nidus/jobs-core/adapter";
import type { JobDelivery } from "@nidus/jobs-observe";
import { copied } from "./error-text.ts";

/** The place that versions 1.x of @opentelemetry/api agree on, and their key of the active span. */
const openTelemetry = Symbol.for("opentelemetry.js.api.1");
const spanKey = Symbol.for("OpenTelemetry Context Key SPAN");

/** The parts of OpenTelemetry that are read. */
interface ContextManager {
  active(): { getValue(key: symbol): unknown };
}

/**
 * Returns the span that is active now, if the application uses OpenTelemetry. It reads a registry that copies of
 * @opentelemetry/api share, so that this package need not depend on it. Never throws.
 */
export function activeSpan(): unknown {
  const api = (globalThis as Record<symbol, unknown>)[openTelemetry];
  if (api === undefined) return undefined;
  try {
    return (propertyOf(api, "context") as ContextManager | undefined)?.active().getValue(spanKey);
  } catch {
    return undefined;
  }
}

/**
 * Returns the trace id of a span, or else that of the enqueue, or undefined. The id is a copy: it is kept for longer than the span and
 * the header that it comes from. Never throws.
 */
export function traceIdOf(span: unknown, delivery: JobDelivery | undefined): string | undefined {
  const traceId = idOf(span) ?? enqueuedTraceId(delivery);
  return traceId === undefined ? undefined : copied(traceId, 32);
}

function idOf(span: unknown): string | undefined {
  if (span === undefined) return undefined;
  try {
    const { traceId } = (span as { spanContext(): { traceId: unknown } }).spanContext();
    return typeof traceId === "string" && /^[0-9a-f]{32}$/.test(traceId) && !/^0+$/.test(traceId)
      ? traceId
      : undefined;
  } catch {
    return undefined;
  }
}

function enqueuedTraceId(delivery: JobDelivery | undefined): string | undefined {
  const header = propertyOf(delivery?.carrier, "traceparent");
  return typeof header === "string" ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(header)?.[1] : undefined;
}
