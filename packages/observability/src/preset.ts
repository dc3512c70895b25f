import { invalidArgument } from "@nidus/jobs-core/adapter";
import type { Observability } from "./observability.ts";

/** Steps that set-ups have in common, under a name: what an organisation publishes for its services to use. */
export interface ObservabilityPreset {
  /** Stands in error messages. */
  readonly name: string;
  /** The same set-up with the preset's steps added. */
  apply(observability: Observability): Observability;
}

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
  if (!name || typeof name !== "string")
    throw invalidArgument("a preset's `name`", "a non-empty string", name);
  if (typeof steps !== "function")
    throw invalidArgument(`the steps of the preset "${name}"`, "a function", steps);
  return { name, apply: steps };
}
