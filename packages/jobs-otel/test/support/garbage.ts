import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Returns how many of the objects the garbage collector has collected. Collects until nearly all are gone, at most 20 times. */
export async function collected(objects: readonly WeakRef<object>[]): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let count = 0;
  for (let round = 0; round < 20 && count < objects.length; round++) {
    // A WeakRef holds its object until the turn in which it was made or read is over.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    count = objects.filter((object) => object.deref() === undefined).length;
  }
  return count;
}
