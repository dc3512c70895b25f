import assert from "node:assert/strict";

/** What `counts[name].n++` reaches where `counts` is a plain object, and a name is a hostile one. */
const shared: readonly object[] = [
  Object.prototype,
  Object,
  Object.prototype.toString,
  Object.prototype.hasOwnProperty,
];

/**
 * Runs something that must leave the objects alone that a whole process shares. What it left on them is removed.
 *
 * @throws (rejects with) AssertionError for a property that is new on one of them; whatever `body` throws.
 */
export async function leavingSharedObjectsAlone(body: () => Promise<void>): Promise<void> {
  const before = shared.map((object) => new Set(Reflect.ownKeys(object)));
  const added: string[] = [];
  try {
    await body();
  } finally {
    shared.forEach((object, index) => {
      for (const key of Reflect.ownKeys(object)) {
        if (before[index]?.has(key)) continue;
        added.push(String(key));
        Reflect.deleteProperty(object, key);
      }
    });
  }
  assert.deepEqual(added, [], "properties were left on objects that the whole process shares");
}
