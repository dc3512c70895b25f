import type { WatchedEngine } from "@nidus/jobs-dashboard";
import type { JobEngine } from "@nidus/jobs-durable";
import type { ObservabilityAdapter } from "@nidus/observability";
import type { JobDashboard } from "../src/index.ts";

declare const engine: JobEngine;
export const watched: WatchedEngine = engine;

declare const page: JobDashboard;
export const adapter: ObservabilityAdapter = page;

// @ts-expect-error A queue is no engine.
export const queue: WatchedEngine = { name: "queue", size: 3 };
