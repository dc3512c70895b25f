import { DurableEngine, type JobEngine } from "@nidus/jobs-durable";
import type { CreateEngine } from "../../src/index.ts";
import { ListBackend, type ListStore } from "./list-backend.ts";

/** What makes engines of one store out of a backend, and possibly breaks them. */
export function listEngines(
  Backend: typeof ListBackend = ListBackend,
  change: (engine: JobEngine) => JobEngine = (engine) => engine,
): CreateEngine {
  const store: ListStore = new Map();
  return ({ runner, leaseMs }) => change(new DurableEngine(new Backend(store, leaseMs), { runner }));
}
