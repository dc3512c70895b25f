/**
 * Returns the one value of this name in the process, also if bundles or hot reloads have loaded this package several times.
 * The first copy that asks makes it.
 */
export function sharedByCopies<T>(name: string, create: () => T): T {
  const key = Symbol.for(`@nidus/${name}`);
  const shared = globalThis as unknown as Record<symbol, T>;
  shared[key] ??= create();
  return shared[key];
}
