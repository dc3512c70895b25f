import type { JobBackend } from "@nidus/jobs-durable/backend";

/** A store that answers every call but the fetch of its worker: that worker hangs. `release` ends the fetch. */
export function silentBackend(): JobBackend & { release(): void } {
  let release = (): void => {};
  const released = new Promise<readonly never[]>((resolve) => {
    release = () => resolve([]);
  });
  return {
    name: "silent",
    address: "this process",
    leaseMs: 30_000,
    capabilities: {} as JobBackend["capabilities"],
    queueOf: (jobName: string) => jobName,
    release: () => release(),
    insert: async () => [],
    consumer: async () => ({
      fetch: () => released,
      settle: async () => ({ isRecorded: true }),
      renewLeases: async () => {},
      cancelRequests: async () => [],
      close: async () => {},
    }),
    cancel: async () => false,
    ping: async () => {},
    backlog: async () => [],
    counts: async () => new Map(),
    deadLetters: async () => [],
    redrive: async () => false,
    close: async () => {},
  } as unknown as JobBackend & { release(): void };
}
