import type { JobBackend } from "@nidus/jobs-durable/backend";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { vi } from "vitest";
import type { PgBossEngineOptions } from "../../src/index.ts";
import { backendOf, backendOnly } from "./backend-only.ts";
import { importOn } from "./on-pg-boss.ts";
import type { versions } from "./start-boss.ts";

type CreateBackend = (options: Omit<PgBossEngineOptions, "runner">) => Promise<JobBackend>;

/** Makes backends as the engine's factory does. */
export async function backendsOf(version: (typeof versions)[number]): Promise<CreateBackend> {
  vi.doMock("@nidus/jobs-durable/backend", backendOnly);
  const { pgBossEngine } = await importOn(version);
  vi.doUnmock("@nidus/jobs-durable/backend");
  const runner = new ObservedJobRunner();
  return (options) =>
    backendOf(pgBossEngine({ runner, pollIntervalMs: 100, ...options } as PgBossEngineOptions));
}
