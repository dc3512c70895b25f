/**
 * Returns the value that all copies of this package in the process share under this name. Bundles and hot reloads load
 * several copies; the first one that asks creates the value.
 */
export function sharedByCopies<T>(name: string, create: () => T): T {
  const key = Symbol.for(`@nidus/${name}`);
  const shared = globalThis as unknown as Record<symbol, T>;
  shared[key] ??= create();
  return shared[key];
}
