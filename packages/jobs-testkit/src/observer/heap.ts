import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Measures the bytes in use after a garbage collection. Blocks for some milliseconds. */
export function bytesInUse(): number {
  collect ??= garbageCollector();
  // The second collection frees what the first one has found.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Finds the function of `node --expose-gc`. Without that flag, sets it and takes the function from a new context of V8. */
function garbageCollector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc as () => void;
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
