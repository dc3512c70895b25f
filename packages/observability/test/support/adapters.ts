import type { ObservabilityAdapter } from "../../src/index.ts";

/** Makes an adapter that observes nothing, with the members that a test adds. */
export function adapter(name: string, given: Partial<ObservabilityAdapter> = {}): ObservabilityAdapter {
  return { name, jobObserver: () => ({}), ...given };
}

export const failingJob = {
  name: "digest",
  run(): void {
    throw new TypeError("no address for hunter2");
  },
};

export const reindex = { name: "reindex", run: (): void => {} };
