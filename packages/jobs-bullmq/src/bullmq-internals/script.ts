import type { RedisClient } from "./redis-client.ts";

/** A Lua script. Sends its text to Redis once per client, and only its hash from then on. */
export class Script {
  readonly name: string;
  readonly #numberOfKeys: number;
  readonly #lua: string;
  /** A client for which a script is defined again sends its text again. */
  readonly #knownTo = new WeakSet<RedisClient>();

  constructor(name: string, numberOfKeys: number, lua: string) {
    this.name = name;
    this.#numberOfKeys = numberOfKeys;
    this.#lua = lua;
  }

  /**
   * Makes the script known to a client, and its text goes to Redis again. Do so before each transaction that runs the script by its name:
   * a client does not repeat a command of a transaction if Redis has lost the script, as after `SCRIPT FLUSH`.
   */
  define(client: RedisClient): void {
    client.defineCommand(this.name, { numberOfKeys: this.#numberOfKeys, lua: this.#lua });
    this.#knownTo.add(client);
  }

  run(client: RedisClient, keysAndArguments: readonly unknown[]): Promise<unknown> {
    if (!this.#knownTo.has(client)) this.define(client);
    return client.runCommand(this.name, keysAndArguments);
  }
}
