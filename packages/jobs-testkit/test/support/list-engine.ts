import type { JobEngine } from "@nidus/jobs-durable";
import { createEngine } from "@nidus/jobs-durable/backend";
import type { CreateEngine } from "../../src/contracts.ts";
import { ListBackend, type ListStore } from "./list-backend.ts";

/** Returns a function that makes engines on one store. `change` can break them. */
export function listEngines(
  Backend: typeof ListBackend = ListBackend,
  change: (engine: JobEngine) => JobEngine = (engine) => engine,
): CreateEngine {
  const store: ListStore = new Map();
  return ({ runner, name, leaseMs, onError }) =>
    change(createEngine(new Backend(store, leaseMs), { runner, name, onError }));
}
