import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, RedisConnection } from "bullmq";
import {
  JsonTextQueue,
  queueKeys,
  type RedisClient,
  transactionalClient,
  unreadyClientOf,
  versionOf,
} from "../bullmq-internals/index.ts";
import { isClient, withReconnecting } from "../connection/connection-options.ts";
import { queueName } from "./queue-name.ts";
import type { StoredData } from "./stored-data.ts";

/** How long a server may take to say goodbye, or that it loads its data. */
const answerWithinMs = 1_000;

/** One connection, the BullMQ queues that share it, and the names of the jobs that have one. */
export class Queues {
  readonly #name: string;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  readonly #connection: RedisConnection;
  readonly #reconnectionListeners = new Set<() => void>();
  readonly #isShared: boolean;
  readonly #queues = new Map<string, Promise<JsonTextQueue<StoredData>>>();

  constructor(
    name: string,
    prefix: string,
    connection: ConnectionOptions,
    onError: (error: unknown) => void,
  ) {
    this.#name = name;
    this.#prefix = prefix;
    this.#onError = onError;
    this.#isShared = isClient(connection);
    // "Blocking" is for commands that may wait for as long as it takes, as those of workers do.
    this.#connection = new RedisConnection(withReconnecting(connection), {
      shared: this.#isShared,
      blocking: true,
    });
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

  /** BullMQ's. */
  get version(): string | undefined {
    return versionOf(this.#connection);
  }

  get prefix(): string {
    return this.#prefix;
  }

  get client(): Promise<RedisClient> {
    return this.#connection.client as unknown as Promise<RedisClient>;
  }

  /** Asks a server that is connected and not ready whether it loads its data. BullMQ gives its client out only once it is ready. */
  async isLoading(): Promise<boolean> {
    const client = unreadyClientOf(this.#connection);
    if (client === undefined) return false;
    const silence = pause(answerWithinMs, "", { ref: false });
    return /^loading:1/m.test(await Promise.race([client.info(), silence]).catch(() => ""));
  }

  /** What queues and workers are to share. */
  async connection(): Promise<ConnectionOptions> {
    return (await this.#connection.client) as unknown as ConnectionOptions;
  }

  /** The first part of the keys of the engine's own, without the colon at its end. */
  get base(): string {
    return `${this.#prefix}:${this.#name}`;
  }

  /** The hash of all job names, with the first part of its queue's keys beside each. */
  get namesKey(): string {
    return `${this.base}:names`;
  }

  /** Opens the queue of a job. */
  of(jobName: string): Promise<JsonTextQueue<StoredData>> {
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

  async #open(jobName: string): Promise<JsonTextQueue<StoredData>> {
    const queue = new JsonTextQueue<StoredData>(queueName(this.#name, jobName), {
      connection: transactionalClient(await this.connection()),
      prefix: this.#prefix,
      // The connection was checked when it was opened.
      skipVersionCheck: true,
    });
    queue.on("error", this.#onError);
    await queue.waitUntilReady();
    return queue;
  }

  /** Notes job names for the calls that ask for all of them: again and again, since Redis may lose them. */
  async note(jobNames: Iterable<string> = this.#queues.keys()): Promise<void> {
    const keys = Object.fromEntries([...jobNames].map((name) => [name, this.keysOf(name)]));
    if (Object.keys(keys).length > 0) await (await this.client).hset(this.namesKey, keys);
  }

  /** Every job name that was ever enqueued or worked on. */
  async names(): Promise<string[]> {
    return Object.keys(await (await this.client).hgetall(this.namesKey));
  }

  /** The first part of the keys of a job's queue. */
  keysOf(jobName: string): string {
    return queueKeys(this.#prefix, queueName(this.#name, jobName));
  }

  /** The hash of a job's runs that are to be cancelled: id, and when it was asked for. */
  cancelRequestsOf(jobName: string): string {
    return `${this.base}:cancel-requests:${encodeURIComponent(jobName)}`;
  }

  /** The hash of a job's runs that were cancelled: id, and when. */
  cancellationsOf(jobName: string): string {
    return `${this.base}:cancelled:${encodeURIComponent(jobName)}`;
  }

  async close(): Promise<void> {
    const queues = await Promise.allSettled(this.#queues.values());
    for (const each of queues) if (each.status === "fulfilled") await each.value.close();
    // Of a server that is silent, no answer is waited for.
    if (!this.#isShared && this.#connection.status === "ready") {
      const client = await this.client;
      await Promise.race([client.quit().catch(() => {}), pause(answerWithinMs, undefined, { ref: false })]);
    }
    await this.#connection.close(true);
    // What was still being opened fails now, and BullMQ, which has removed all listeners, emits that: nobody is left to tell.
    this.#connection.on("error", () => {});
  }
}
