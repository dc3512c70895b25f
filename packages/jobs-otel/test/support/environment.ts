import { vi } from "vitest";

/** Hides the OTEL_* variables of the environment, until `vi.unstubAllEnvs`. */
export function clearOtelEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("OTEL_")) vi.stubEnv(name, undefined);
  }
}
