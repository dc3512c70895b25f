import type { RedisClient } from "./queues.ts";

/** A Lua script, sent to Redis as a whole once per client, and by its hash from then on. */
export class Script {
  readonly name: string;
  readonly #numberOfKeys: number;
  readonly #lua: string;
  /** A client that a script is defined for again sends it as a whole again. */
  readonly #knownTo = new WeakSet<RedisClient>();

  constructor(name: string, numberOfKeys: number, lua: string) {
    this.name = name;
    this.#numberOfKeys = numberOfKeys;
    this.#lua = lua;
  }

  /** For transactions, which run it by its name. */
  define(client: RedisClient): void {
    if (this.#knownTo.has(client)) return;
    client.defineCommand(this.name, { numberOfKeys: this.#numberOfKeys, lua: this.#lua });
    this.#knownTo.add(client);
  }

  run(client: RedisClient, keysAndArguments: readonly string[]): Promise<unknown> {
    this.define(client);
    return client.runCommand(this.name, keysAndArguments);
  }
}
