import { RedisConnection } from "bullmq";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** BullMQ waits for as long for a marker, so that a lost one delays a job by so much. */
const waitSeconds = 5;

/** How much later than asked an answer may come. */
const graceMs = 1_000;

/** A marker that was taken: BullMQ's sign that a queue has a job, or the moment at which the next one is due. */
export interface Marker {
  /** The first part of the queue's keys. */
  readonly keys: string;
  readonly member: string;
  /** When the next job is due, in Unix milliseconds of Redis's clock. 0: at once. */
  readonly dueMs: number;
}

type Popped = [key: string, member: string, score: string] | null;

/** A client whose commands may wait. */
interface BlockingClient extends RedisClient {
  readonly status: string;
  duplicate(options: { readonly connectionName: string }): BlockingClient;
  bzpopmin(...keysAndTimeout: (string | number)[]): Promise<Popped>;
}

/** Puts a marker back. KEYS: the first part of the queue's keys. ARGV: member, score. */
const restoreScript = new Script(
  "nidusMarker",
  1,
  "return redis.call('ZADD', KEYS[1] .. 'marker', ARGV[2], ARGV[1])",
);

/** Finds markers of a wrong type. KEYS: any key. ARGV: the first parts of the queues' keys. Answers those that cannot be waited for. */
const unusableScript = new Script(
  "nidusUnusable",
  1,
  `
local found = {}
for _, keys in ipairs(ARGV) do
  local type = redis.call('TYPE', keys .. 'marker').ok
  if type ~= 'none' and type ~= 'zset' then found[#found + 1] = keys end
end
return found`,
);

/**
 * Waits for the markers of many queues on one connection. BullMQ's own workers have a connection each for it. Redis hands each marker to one
 * waiting connection: put it back if you do not look for a job then.
 */
export class MarkerWatch {
  readonly #shared: RedisClient;
  readonly #connection: RedisConnection;
  #giveUp: () => void = () => {};
  /** Of the last wait. The next wait clears it, since a job that comes would have to wait for that. */
  #timer: NodeJS.Timeout | undefined;

  /** `connectionName` is how Redis lists the connection. */
  constructor(client: RedisClient, connectionName: string, onError: (error: unknown) => void) {
    this.#shared = client;
    const own = (client as BlockingClient).duplicate({ connectionName });
    this.#connection = new RedisConnection(own as never, {
      shared: false,
      blocking: true,
      skipVersionCheck: true,
    });
    this.#connection.on("error", onError);
  }

  /** Resolves when the connection is ready. */
  async opened(): Promise<void> {
    await this.#connection.client;
  }

  /** Takes the next marker of these queues. Resolves to undefined after some seconds without one. */
  async take(queueKeys: readonly string[]): Promise<Marker | undefined> {
    const client = (await this.#connection.client) as unknown as BlockingClient;
    const markers = queueKeys.map((keys) => `${keys}marker`);
    clearTimeout(this.#timer);
    try {
      const answer = await new Promise<Popped | "late" | "closed">((resolve, reject) => {
        this.#timer = setTimeout(resolve, waitSeconds * 1000 + graceMs, "late");
        this.#giveUp = () => resolve("closed");
        client.bzpopmin(...markers, waitSeconds).then(resolve, reject);
      });
      if (answer === "late") await this.#unlessClosed(this.#reset(client));
      if (typeof answer === "string" || !answer?.[0]) return undefined;
      const [key, member, score] = answer;
      return { keys: key.slice(0, -"marker".length), member, dueMs: Number(score) || 0 };
    } catch (error) {
      clearTimeout(this.#timer);
      if (client.status === "end" && !this.#connection.closing) {
        await this.#unlessClosed(this.#connection.reconnect());
      }
      throw error;
    }
  }

  /** Puts a marker back, for other workers to take. */
  async restore({ keys, member, dueMs }: Marker): Promise<void> {
    await restoreScript.run(this.#shared, [keys, member, String(dueMs)]);
  }

  /** Resolves to the queues whose markers are of a wrong type. A wait for any of these is refused. */
  async unusable(queueKeys: readonly string[]): Promise<readonly string[]> {
    return (await unusableScript.run(this.#shared, [...queueKeys.slice(0, 1), ...queueKeys])) as string[];
  }

  /**
   * Ends a wait that has no answer: after a broken connection, ioredis sends the command again, and may wait for ever. BullMQ's workers do the
   * same. A client that has no socket must find one first, since it would not connect any more.
   */
  async #reset(client: BlockingClient): Promise<void> {
    const isLive = (): boolean => client.status === "ready" || client.status === "connect";
    if (!isLive()) await this.#connection.reconnect();
    if (!isLive() || this.#connection.closing) return;
    await this.#connection.disconnect(true);
    if (!this.#connection.closing) await this.#connection.reconnect();
  }

  /** Stops waiting for a connection when the watch is closed: a client without a socket then settles nothing any more. */
  async #unlessClosed(connecting: Promise<unknown>): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#giveUp = resolve;
    });
    await Promise.race([connecting, closed]);
  }

  /** Ends the wait, also on a server that is away. */
  async close(isForced = true): Promise<void> {
    this.#giveUp();
    clearTimeout(this.#timer);
    await this.#connection.close(isForced);
    // BullMQ has removed all listeners, and emits an error for a connection that was still opening.
    this.#connection.on("error", () => {});
  }
}
