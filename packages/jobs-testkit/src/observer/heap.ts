import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Bytes that are in use once all garbage has been collected. Blocks for some milliseconds. */
export function bytesInUse(): number {
  collect ??= garbageCollector();
  // The first collection finds what the second one can free.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The one that `node --expose-gc` offers or, without that flag, the one that V8 hands to a new context once it is set. */
function garbageCollector(): () => void {
  if (globalThis.gc !== undefined) return globalThis.gc as () => void;
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
