import { AsyncLocalStorage } from "node:async_hooks";
import { sharedByCopies } from "@nidus/jobs-core/adapter";
import type { ObservedJobContext } from "../context/context.ts";
import type { JobObserver } from "../observer/observer.ts";

function runs(): AsyncLocalStorage<ObservedJobContext> {
  return sharedByCopies("current-job", () => new AsyncLocalStorage());
}

/**
 * Returns the run that the calling code is part of, also after awaits, in timers and in callbacks. Returns undefined
 * outside a run, and in runs whose runner has no {@link currentJobObserver}.
 */
export function currentJob(): ObservedJobContext | undefined {
  return runs().getStore();
}

/**
 * Makes the observer that lets {@link currentJob} work in the runs of its runner. It uses one AsyncLocalStorage, which
 * all copies of this package in a process share. A run costs about 80 ns more with it (Node 20; see tools/bench).
 */
export function currentJobObserver(): JobObserver {
  const storage = runs();
  return { runInScope: (context, run) => storage.run(context, run) };
}
