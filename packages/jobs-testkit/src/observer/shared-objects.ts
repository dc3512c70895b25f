import assert from "node:assert/strict";

/** Objects that `counts[name].n++` can change, if `counts` is a plain object and the name is hostile. */
const shared: readonly object[] = [
  Object.prototype,
  Object,
  Object.prototype.toString,
  Object.prototype.hasOwnProperty,
];

/**
 * Runs a body that must not change the objects that a whole process shares. Removes the properties that it added to them.
 *
 * @throws (rejects with) AssertionError if the body added a property to one of them; the error of `body` if it rejects.
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
  assert.deepEqual(added, [], "the observer added properties to objects that the whole process shares");
}
