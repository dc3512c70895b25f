import { requireFunction, requireText } from "@nidus/jobs-core/adapter";
import type { Observability, ObservabilityPreset } from "./observability.ts";

/**
 * Makes a preset, for `observability.with(preset)`. Its steps act at the place of that call: a later `.prometheus()` or
 * `.otel()` replaces the preset's.
 *
 * @throws TypeError for an empty name, or if `steps` is not a function.
 */
export function definePreset(
  name: string,
  steps: (observability: Observability) => Observability,
): ObservabilityPreset {
  requireText("a preset's `name`", name);
  requireFunction(`the steps of the preset "${name}"`, steps);
  return { name, apply: steps };
}
