import type { JobEngine } from "@nidus/jobs-durable";
import { createEngine, type Retention, requireRetention } from "@nidus/jobs-durable/backend";
import type { EngineUnderTestOptions } from "../../src/contracts.ts";
import { ListBackend, type ListStore } from "./list-backend.ts";

/** Makes an engine, which has a store of its own if a retention is given. */
export type CreateListEngine = (options: EngineUnderTestOptions & Partial<Retention>) => JobEngine;

/** Returns a function that makes engines on one store. `change` can break them. */
export function listEngines(
  Backend: typeof ListBackend = ListBackend,
  change: (engine: JobEngine) => JobEngine = (engine) => engine,
): CreateListEngine {
  const store: ListStore = new Map();
  return ({ runner, name, leaseMs, onError, ...retention }) => {
    const own: ListStore = "retainSucceededMs" in retention ? new Map() : store;
    const backend = new Backend(own, leaseMs, requireRetention(retention));
    return change(createEngine(backend, { runner, name, onError }));
  };
}
