import { context, diag, metrics, propagation, trace } from "@opentelemetry/api";
import { vi } from "vitest";

/** What an application registers once is per process: each test leaves nothing of it behind. */
export function resetGlobalApi(): void {
  context.disable();
  propagation.disable();
  trace.disable();
  metrics.disable();
  diag.disable();
}

/** Hides the OTEL_* variables of whoever runs the tests, until `vi.unstubAllEnvs`. */
export function clearOtelEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("OTEL_")) vi.stubEnv(name, undefined);
  }
}
