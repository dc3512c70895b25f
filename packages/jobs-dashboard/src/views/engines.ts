import { propertyOf } from "@nidus/jobs-core/adapter";
import type { EngineReader } from "../engines/engine-reader.ts";
import type { EngineRow, EnginesView, WorkerRow } from "../wire-stored.ts";
import { readingOf } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { countsByState } from "./stored.ts";
import { timeOf } from "./time.ts";

/** Describes the watched engines, and the workers of this process. */
export async function enginesView(model: PageModel): Promise<EnginesView> {
  return { engines: await Promise.all([...model.readers.values()].map(engineRow)) };
}

async function engineRow(reader: EngineReader): Promise<EngineRow> {
  const [stats, health] = await Promise.all([reader.stats.get(), reader.health?.get()]);
  const { value } = stats;
  const isReachable = health?.value?.isReachable ?? (stats.readAt === null ? null : stats.error === null);
  const latencyMs = health?.value?.latencyMs ?? stats.latencyMs;
  return {
    key: reader.identity.key,
    name: reader.identity.name,
    ...readingOf(stats),
    isReachable: stats.error === null ? isReachable : false,
    // A latency that changes by fractions would make every snapshot a new one.
    latencyMs: latencyMs === null ? null : Math.max(1, Math.round(latencyMs)),
    counts: value === undefined ? null : countsByState(value),
    oldestWaitingAt: timeOf(value?.oldestWaitingAt),
    workers: health?.value?.workers?.map(workerRow) ?? null,
  };
}

function workerRow(worker: object): WorkerRow {
  const numberOf = (key: string): number | null => {
    const value = propertyOf(worker, key);
    return typeof value === "number" ? value : null;
  };
  return {
    state: String(propertyOf(worker, "state") ?? "unknown").slice(0, 50),
    running: numberOf("running"),
    concurrency: numberOf("concurrency"),
    lastFetchAt: timeOf(propertyOf(worker, "lastFetchAt")),
  };
}
