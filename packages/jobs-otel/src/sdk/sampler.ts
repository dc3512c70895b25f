import { diag } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { textOf } from "./environment.ts";

const samplers: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
};

const parentBased = "parentbased_";

/**
 * Makes the sampler of a pipeline: from `sampleRatio`, or from `OTEL_TRACES_SAMPLER` and its argument. Without either,
 * it keeps all traces.
 */
export function samplerOf(sampleRatio: number | undefined, environment: NodeJS.ProcessEnv): Sampler {
  if (sampleRatio !== undefined) {
    return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) });
  }
  const name = textOf(environment, "OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
  const rootName = name.startsWith(parentBased) ? name.slice(parentBased.length) : name;
  if (!Object.hasOwn(samplers, rootName)) {
    diag.warn("OTEL_TRACES_SAMPLER is ignored: it names no sampler of the OpenTelemetry specification");
    return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
  const root = samplers[rootName]!(rootName === "traceidratio" ? ratioOf(environment) : 1);
  return rootName === name ? root : new ParentBasedSampler({ root });
}

function ratioOf(environment: NodeJS.ProcessEnv): number {
  const text = textOf(environment, "OTEL_TRACES_SAMPLER_ARG");
  const ratio = Number(text ?? 1);
  if (ratio >= 0 && ratio <= 1) return ratio;
  diag.warn("OTEL_TRACES_SAMPLER_ARG is ignored: expected a number from 0 to 1");
  return 1;
}
