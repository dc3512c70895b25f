import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Returns the size of the heap in bytes after a full collection. */
async function liveBytes(): Promise<number> {
  // Finalisation takes a turn of the event loop, and may make more garbage.
  for (let round = 0; round < 4; round++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

/** Returns how many bytes of heap are still held after `work`. */
export async function heldBytesAfter(work: () => Promise<unknown>): Promise<number> {
  const before = await liveBytes();
  await work();
  return (await liveBytes()) - before;
}
