import { vi } from "vitest";

type BullmqVersion = 5 | 6;

/** The major versions of BullMQ that the engine is tested on. */
export const bullmqVersions: readonly BullmqVersion[] = [5, 6];

/** Imports the package as it is with a version of BullMQ. Call it in a `describe`, for one version after the other. */
export function importOn(version: BullmqVersion): Promise<typeof import("../../src/index.ts")> {
  vi.resetModules();
  vi.doMock("bullmq", () => (version === 5 ? import("bullmq") : import("bullmq-6")));
  return import("../../src/index.ts");
}
