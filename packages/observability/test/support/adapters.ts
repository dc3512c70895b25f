import type { ObservabilityAdapter } from "../../src/index.ts";

/** An adapter that observes nothing, with what a test adds to it. */
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
