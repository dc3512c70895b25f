import { requireFunction, requireText } from "@nidus/jobs-core/adapter";
import type { Observability, ObservabilityPreset } from "./observability.ts";

/**
 * A preset, for `observability.with(preset)`. Steps of the preset are as if they stood in its place: a later `.prometheus()` or
 * `.otel()` replaces the preset's.
 *
 * @throws TypeError for an empty name, or steps that are no function.
 */
export function definePreset(
  name: string,
  steps: (observability: Observability) => Observability,
): ObservabilityPreset {
  requireText("a preset's `name`", name);
  requireFunction(`the steps of the preset "${name}"`, steps);
  return { name, apply: steps };
}
