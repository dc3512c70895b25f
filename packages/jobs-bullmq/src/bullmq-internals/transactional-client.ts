import type { ConnectionOptions } from "bullmq";

/** A client as BullMQ's `addBulk` uses it. */
interface Client {
  multi(): unknown;
}

/** Returns a client whose pipelines are transactions, so that BullMQ's `addBulk` stores all jobs or none. */
export function transactionalClient(connection: ConnectionOptions): ConnectionOptions {
  const client = connection as Client & ConnectionOptions;
  return new Proxy(client, {
    get: (target, key) => (key === "pipeline" ? () => target.multi() : Reflect.get(target, key, target)),
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

/** Throws the error of the command for which Redis discarded a transaction. The error of the transaction itself does not tell it. */
export function throwCommandError(error: {
  readonly previousErrors?: readonly unknown[] | undefined;
}): never {
  throw error.previousErrors?.[0] ?? error;
}
