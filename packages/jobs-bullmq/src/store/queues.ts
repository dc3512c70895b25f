import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, RedisConnection } from "bullmq";
import {
  BatchQueue,
  queueKeys,
  type RedisClient,
  unreadyClientOf,
  versionOf,
} from "../bullmq-internals/index.ts";
import { isClient, withReconnecting } from "../connection/connection-options.ts";
import { queueName } from "./queue-name.ts";
import { repeatStrategy } from "./repeat-strategy.ts";
import type { StoredData } from "./stored-data.ts";

/** How long the engine waits for a server's answer to QUIT, or to whether it loads its data. */
const answerWithinMs = 1_000;

/** Holds one connection, the BullMQ queues that share it, and the names of their jobs. */
export class Queues {
  readonly #name: string;
  readonly #prefix: string;
  readonly #onError: (error: unknown) => void;
  readonly #connection: RedisConnection;
  readonly #reconnectionListeners = new Set<() => void>();
  readonly #isShared: boolean;
  readonly #queues = new Map<string, BatchQueue<StoredData> | Promise<BatchQueue<StoredData>>>();
  #isClosing = false;

  constructor(
    name: string,
    prefix: string,
    connection: ConnectionOptions,
    onError: (error: unknown) => void,
  ) {
    this.#name = name;
    this.#prefix = prefix;
    // A queue emits an error for what its close cuts off, whose caller hears of it.
    this.#onError = (error) => {
      if (!this.#isClosing) onError(error);
    };
    this.#isShared = isClient(connection);
    // "blocking" lets commands wait without a limit, as the commands of workers do.
    this.#connection = new RedisConnection(withReconnecting(connection), {
      shared: this.#isShared,
      blocking: true,
    });
    this.#connection.on("error", onError);
    this.#connection.on("ready", () => {
      // A server that was restored from a snapshot has lost newer names.
      this.note().catch(onError);
      for (const listener of this.#reconnectionListeners) listener();
    });
  }

  /** Calls a listener each time the connection is ready again. Returns a function that stops it. */
  onReconnected(listener: () => void): () => void {
    this.#reconnectionListeners.add(listener);
    return () => this.#reconnectionListeners.delete(listener);
  }

  /** The version of BullMQ. */
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

  /** The connection that queues and workers share. */
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

  /** Returns the queue of a job, once it is open without a promise. */
  of(jobName: string): BatchQueue<StoredData> | Promise<BatchQueue<StoredData>> {
    const queue = this.#queues.get(jobName);
    if (queue !== undefined) return queue;
    const opening = this.#open(jobName);
    this.#queues.set(jobName, opening);
    // Before all callers that wait for it: a later call does not overtake them.
    opening.then(
      (opened) => this.#queues.set(jobName, opened),
      () => this.#queues.delete(jobName),
    );
    return opening;
  }

  async #open(jobName: string): Promise<BatchQueue<StoredData>> {
    const queue = new BatchQueue<StoredData>(queueName(this.#name, jobName), await this.client, {
      prefix: this.#prefix,
      // The connection was checked when it was opened.
      skipVersionCheck: true,
      settings: { repeatStrategy },
    });
    queue.on("error", this.#onError);
    // Redis gets the name before the jobs: a process that sees them finds it.
    await Promise.all([this.note([jobName]), queue.waitUntilReady()]);
    return queue;
  }

  /** The first part of the keys of each queue that this process has opened, by job name. */
  get ownKeys(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#queues.keys()].map((name) => [name, this.keysOf(name)]));
  }

  /**
   * Stores job names for the calls of other processes that read all of them. Redis may lose them: the cleaner calls this every few seconds,
   * and so does each new connection.
   */
  async note(jobNames: Iterable<string> = this.#queues.keys()): Promise<void> {
    const keys = Object.fromEntries([...jobNames].map((name) => [name, this.keysOf(name)]));
    if (Object.keys(keys).length > 0) await (await this.client).hset(this.namesKey, keys);
  }

  /** Resolves to every job name that was ever enqueued or worked on. */
  async names(): Promise<string[]> {
    const stored = await (await this.client).hgetall(this.namesKey);
    return [...new Set([...Object.keys(stored), ...this.#queues.keys()])];
  }

  /** Returns the first part of the keys of a job's queue. */
  keysOf(jobName: string): string {
    return queueKeys(this.#prefix, queueName(this.#name, jobName));
  }

  /** Returns how Redis lists the connection of a worker: as BullMQ names that of a queue's worker, if the worker has a single name. */
  connectionName(jobNames: readonly string[]): string {
    const [jobName] = jobNames;
    const queue = jobName === undefined || jobNames.length > 1 ? this.#name : queueName(this.#name, jobName);
    return `${this.#prefix}:${Buffer.from(queue).toString("base64")}`;
  }

  /** Returns the key of the hash of cancel requests of a job name: ids, and when each was requested. */
  cancelRequestsOf(jobName: string): string {
    return `${this.base}:cancel-requests:${encodeURIComponent(jobName)}`;
  }

  /** Returns the key of the sorted set of cancelled jobs of a name: ids, by when each was cancelled. */
  cancellationsOf(jobName: string): string {
    return `${this.base}:cancelled:${encodeURIComponent(jobName)}`;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const queues = await Promise.allSettled(this.#queues.values());
    for (const each of queues) if (each.status === "fulfilled") await each.value.close();
    // A silent server does not delay the closing.
    if (!this.#isShared && this.#connection.status === "ready") {
      const client = await this.client;
      await Promise.race([client.quit().catch(() => {}), pause(answerWithinMs, undefined, { ref: false })]);
    }
    await this.#connection.close(true);
    // BullMQ has removed all listeners, and emits an error for each connection that was still opening.
    this.#connection.on("error", () => {});
  }
}
