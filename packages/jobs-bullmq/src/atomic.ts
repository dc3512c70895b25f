import type { ConnectionOptions } from "bullmq";

/** A client as BullMQ uses it for what it adds in bulk. */
interface Client {
  multi(): unknown;
}

/** A client whose pipelines are transactions: BullMQ's `addBulk` stores all jobs or none. */
export function atomic(connection: ConnectionOptions): ConnectionOptions {
  const client = connection as Client & ConnectionOptions;
  return new Proxy(client, {
    get: (target, key) => (key === "pipeline" ? () => target.multi() : Reflect.get(target, key, target)),
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

/** Throws why a transaction was discarded, in Redis's words: that it was says nothing. */
export function throwReason(error: { readonly previousErrors?: readonly unknown[] | undefined }): never {
  throw error.previousErrors?.[0] ?? error;
}
