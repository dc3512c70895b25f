import { vi } from "vitest";
import type { versions } from "./start-boss.ts";

/** Each version as it is installed alone: a test has both, under two names. */
const modules = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

/** Imports the package as it is with a version of pg-boss. Call it for one version after the other. */
export function importOn(version: (typeof versions)[number]): Promise<typeof import("../../src/index.ts")> {
  vi.resetModules();
  vi.doMock("pg-boss", modules[version]);
  return import("../../src/index.ts");
}
