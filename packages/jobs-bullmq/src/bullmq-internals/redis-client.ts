/** The part of BullMQ's Redis client that this package uses. Every client that BullMQ accepts has it once BullMQ has wrapped it. */
export interface RedisClient {
  hset(key: string, fields: Record<string, string | number>): Promise<number>;
  hdel(key: string, ...fields: string[]): Promise<number>;
  hgetall(key: string): Promise<Record<string, string>>;
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  /** As ioredis has it: BullMQ makes an ioredis client if it gets options. */
  set(key: string, value: string, unit: "PX", ms: number, condition: "NX"): Promise<string | null>;
  info(): Promise<string>;
  quit(): Promise<unknown>;
  defineCommand(name: string, script: { readonly numberOfKeys: number; readonly lua: string }): void;
  runCommand(name: string, keysAndArguments: readonly unknown[]): Promise<unknown>;
  multi(): Transaction;
}

/** Commands that Redis executes as one. */
interface Transaction {
  runCommand(name: string, keysAndArguments: readonly unknown[]): Transaction;
  exec(): Promise<readonly (readonly [error: Error | null, answer: unknown])[] | null>;
}
