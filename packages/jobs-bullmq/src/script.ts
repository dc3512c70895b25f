import type { RedisClient } from "./queues.ts";

/** A Lua script, sent to Redis as a whole once per client, and by its hash from then on. */
export class Script {
  readonly #name: string;
  readonly #numberOfKeys: number;
  readonly #lua: string;
  /** A client that a script is defined for again sends it as a whole again. */
  readonly #knownTo = new WeakSet<RedisClient>();

  constructor(name: string, numberOfKeys: number, lua: string) {
    this.#name = name;
    this.#numberOfKeys = numberOfKeys;
    this.#lua = lua;
  }

  run(client: RedisClient, keysAndArguments: readonly string[]): Promise<unknown> {
    if (!this.#knownTo.has(client)) {
      client.defineCommand(this.#name, { numberOfKeys: this.#numberOfKeys, lua: this.#lua });
      this.#knownTo.add(client);
    }
    return client.runCommand(this.#name, keysAndArguments);
  }
}
