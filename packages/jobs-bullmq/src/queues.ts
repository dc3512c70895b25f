import { type ConnectionOptions, Queue, RedisConnection } from "bullmq";
import { isClient } from "./connection.ts";
import { queueName } from "./queue-name.ts";
import type { StoredData } from "./stored-data.ts";

/** The part of a Redis client that is used directly: every client that BullMQ takes has it. */
export interface RedisClient {
  hset(key: string, fields: Record<string, string | number>): Promise<number>;
  hdel(key: string, ...fields: string[]): Promise<number>;
  hgetall(key: string): Promise<Record<string, string>>;
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>;
  /** As ioredis has it, which is the client that BullMQ makes of options. */
  set(key: string, value: string, unit: "PX", ms: number, condition: "NX"): Promise<string | null>;
  info(): Promise<string>;
  defineCommand(name: string, script: { readonly numberOfKeys: number; readonly lua: string }): void;
  runCommand(name: string, keysAndArguments: readonly unknown[]): Promise<unknown>;
  multi(): Transaction;
}

/** Commands that Redis executes as one. */
export interface Transaction {
  runCommand(name: string, keysAndArguments: readonly unknown[]): Transaction;
  exec(): Promise<readonly (readonly [error: Error | null, answer: unknown])[] | null>;
}

/** One connection, the BullMQ queues that share it, and the names of the jobs that have one. */
export class Queues {
  readonly #name: string;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  readonly #connection: RedisConnection;
  readonly #reconnectionListeners = new Set<() => void>();
  readonly #queues = new Map<string, Promise<Queue<StoredData>>>();

  constructor(
    name: string,
    prefix: string,
    connection: ConnectionOptions,
    onError: (error: unknown) => void,
  ) {
    this.#name = name;
    this.#prefix = prefix;
    this.#onError = onError;
    // "Blocking" is for commands that may wait for as long as it takes, as those of workers do.
    this.#connection = new RedisConnection(connection, { shared: isClient(connection), blocking: true });
    this.#connection.on("error", onError);
    this.#connection.on("ready", () => {
      for (const listener of this.#reconnectionListeners) listener();
    });
  }

  /** Calls a listener each time the connection is there again. Returns how to stop that. */
  onReconnected(listener: () => void): () => void {
    this.#reconnectionListeners.add(listener);
    return () => this.#reconnectionListeners.delete(listener);
  }

  get prefix(): string {
    return this.#prefix;
  }

  get client(): Promise<RedisClient> {
    return this.#connection.client as unknown as Promise<RedisClient>;
  }

  /** What queues and workers are to share. */
  async connection(): Promise<ConnectionOptions> {
    return (await this.#connection.client) as unknown as ConnectionOptions;
  }

  /** The hash of all job names, with the first part of its queue's keys beside each. */
  get namesKey(): string {
    return this.#key("names");
  }

  /** The queue of a job, whose name is noted for whoever asks for all of them. */
  of(jobName: string): Promise<Queue<StoredData>> {
    let queue = this.#queues.get(jobName);
    if (queue === undefined) {
      queue = this.#open(jobName).catch((error) => {
        this.#queues.delete(jobName);
        throw error;
      });
      this.#queues.set(jobName, queue);
    }
    return queue;
  }

  async #open(jobName: string): Promise<Queue<StoredData>> {
    const client = await this.client;
    const queue = new Queue<StoredData>(queueName(this.#name, jobName), {
      connection: await this.connection(),
      prefix: this.#prefix,
    });
    queue.on("error", this.#onError);
    try {
      await client.hset(this.namesKey, { [jobName]: this.keysOf(jobName) });
    } catch (error) {
      queue.close().catch(this.#onError);
      throw error;
    }
    return queue;
  }

  /** Every job name that was ever enqueued or worked on. */
  async names(): Promise<string[]> {
    return Object.keys(await (await this.client).hgetall(this.namesKey));
  }

  /** The first part of the keys of a job's queue. */
  keysOf(jobName: string): string {
    return `${this.#prefix}:${queueName(this.#name, jobName)}:`;
  }

  /** The queues of all names. */
  async all(): Promise<ReadonlyMap<string, Queue<StoredData>>> {
    const names = await this.names();
    return new Map(await Promise.all(names.map(async (name) => [name, await this.of(name)] as const)));
  }

  /** The hash of a job's runs that are to be cancelled: id, and when it was asked for. */
  cancelRequestsOf(jobName: string): string {
    return this.#key(`cancel-requests:${encodeURIComponent(jobName)}`);
  }

  /** The hash of a job's runs that were cancelled: id, and when. */
  cancellationsOf(jobName: string): string {
    return this.#key(`cancelled:${encodeURIComponent(jobName)}`);
  }

  #key(name: string): string {
    return `${this.#prefix}:${this.#name}:${name}`;
  }

  async close(): Promise<void> {
    const queues = await Promise.allSettled(this.#queues.values());
    for (const each of queues) if (each.status === "fulfilled") await each.value.close();
    await this.#connection.close();
    // What was still being opened fails now, and BullMQ, which has removed all listeners, emits that: nobody is left to tell.
    this.#connection.on("error", () => {});
  }
}
