/**
 * Copies a value that JSON can carry, in the realm of this module. `structuredClone` would not do: the globals of Jest with jsdom have none,
 * and under other test environments it makes objects of Node's realm.
 */
export function jsonCopy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
