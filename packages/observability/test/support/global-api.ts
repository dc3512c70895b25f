import { context, diag, metrics, propagation, trace } from "@opentelemetry/api";
import { vi } from "vitest";

/** Global registrations live as long as the process, so each test removes its own. */
export function resetGlobalApi(): void {
  context.disable();
  propagation.disable();
  trace.disable();
  metrics.disable();
  diag.disable();
}

/** Hides the OTEL_* variables of the environment, until `vi.unstubAllEnvs`. */
export function clearOtelEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("OTEL_")) vi.stubEnv(name, undefined);
  }
}
