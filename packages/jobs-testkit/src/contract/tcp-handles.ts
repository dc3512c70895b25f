import { AsyncLocalStorage, createHook } from "node:async_hooks";

/** Connections to servers, as Node names their handles. */
const connectionTypes = new Set(["TCPWRAP", "PIPEWRAP"]);

/** Counts the connections that some work opens, whatever library opens them. */
export interface ConnectionCount extends Disposable {
  /** Runs work whose connections are counted, also those that it opens later. */
  within<T>(work: () => Promise<T>): Promise<T>;
  /** How many of them are open. */
  readonly open: number;
}

/** Starts to count. Dispose of it when the test ends: the hook costs time in the whole process. */
export function countConnections(): ConnectionCount {
  const counted = new AsyncLocalStorage<true>();
  const open = new Set<number>();
  const hook = createHook({
    init(asyncId, type) {
      if (connectionTypes.has(type) && counted.getStore()) open.add(asyncId);
    },
    destroy: (asyncId) => void open.delete(asyncId),
  }).enable();
  return {
    within: (work) => counted.run(true, work),
    get open() {
      return open.size;
    },
    [Symbol.dispose]: () => void hook.disable(),
  };
}
