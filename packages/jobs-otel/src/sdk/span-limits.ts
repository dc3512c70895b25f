import type { SpanLimits } from "@opentelemetry/sdk-trace";
import { wholeNumberOf } from "./environment.ts";

/** The variables that set each limit. The first one that is set wins. */
const variables: Readonly<Record<keyof SpanLimits, readonly string[]>> = {
  attributeCountLimit: ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
  attributeValueLengthLimit: ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
  eventCountLimit: ["OTEL_SPAN_EVENT_COUNT_LIMIT"],
  linkCountLimit: ["OTEL_SPAN_LINK_COUNT_LIMIT"],
  attributePerEventCountLimit: [
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT",
  ],
  attributePerLinkCountLimit: ["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT"],
};

/** Reads the limits of spans from the standard environment variables. Limits that are not set keep the SDK's defaults. */
export function spanLimitsOf(environment: NodeJS.ProcessEnv): SpanLimits {
  const limits: [string, number][] = [];
  for (const [limit, names] of Object.entries(variables)) {
    const set = names.map((name) => wholeNumberOf(environment, name, 0)).find((value) => value !== undefined);
    if (set !== undefined) limits.push([limit, set]);
  }
  return Object.fromEntries(limits);
}
