import type { JobBackend } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { vi } from "vitest";
import type { PgBossEngineOptions } from "../../src/index.ts";
import { backendOf, backendOnly } from "./backend-only.ts";
import type { versions } from "./start-boss.ts";

const modules = {
  10: async () => ({ ...(await vi.importActual<object>("pg-boss")), PgBoss: undefined }),
  12: async () => ({ ...(await import("pg-boss-12")), default: undefined }),
};

type CreateBackend = (options: Omit<PgBossEngineOptions, "runner">) => Promise<JobBackend>;

/** Makes backends as the engine's factory does. */
export async function backendsOf(version: (typeof versions)[number]): Promise<CreateBackend> {
  vi.resetModules();
  vi.doMock("pg-boss", modules[version]);
  vi.doMock("@nidus/jobs-durable/backend", backendOnly);
  const { pgBossEngine } = await import("../../src/index.ts");
  vi.doUnmock("@nidus/jobs-durable/backend");
  const runner = new ObservedJobRunner();
  return (options) =>
    backendOf(pgBossEngine({ runner, pollIntervalMs: 100, ...options } as PgBossEngineOptions));
}
