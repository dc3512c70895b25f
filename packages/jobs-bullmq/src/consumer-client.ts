import { holdKey } from "./cancelling.ts";
import type { Lease } from "./leases.ts";
import type { RedisClient } from "./queues.ts";
import type { RedisClock } from "./redis-clock.ts";
import { Script } from "./script.ts";
import { noFacts, readFields, type StoredFacts } from "./stored-fields.ts";

/** What is written with a outcome, in one transaction. */
export interface Note {
  readonly keys: string;
  readonly requests: string;
  readonly cancellations: string;
  readonly lease: Lease;
  /** Unix milliseconds by Redis's clock from which the next attempt can start, if there is one. Its fraction tells who wrote it. */
  readonly runAt?: string;
  /** When the job was cancelled, if it was. Its fraction tells who wrote it. */
  readonly cancelledAt?: string;
  /** Milliseconds for which its idempotency key is held after it was cancelled, if it has one. */
  readonly keyHeldMs?: number;
}

/** Does nothing without the lease, as the settlement after it. KEYS: the first part of the queue's keys, requests, cancellations. ARGV: id, token, runAt, cancelledAt. */
const write = new Script(
  "nidusNote",
  3,
  `
local id, job = ARGV[1], KEYS[1] .. ARGV[1]
if redis.call('GET', job .. ':lock') ~= ARGV[2] or redis.call('EXISTS', job) == 0 then return 0 end
if ARGV[3] ~= '' then redis.call('HSET', job, 'nidusRunAt', ARGV[3]) else redis.call('HDEL', KEYS[2], id) end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], id, ARGV[4]) end
return 1`,
);

/** Holds the key of a job that the outcome has removed. KEYS: the job, cancellations. ARGV: id, cancelledAt, milliseconds. */
const hold = new Script(
  "nidusHoldKey",
  2,
  `${holdKey}
if redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then holdKey(KEYS[1], ARGV[3]) end`,
);

/** BullMQ's scripts that give out jobs. The first number among their arguments is the time. */
const givesOut = /^(moveToActive|moveToFinished|moveToDelayed):/;

/**
 * The connection of a consumer. BullMQ's scripts that give out and settle jobs pass through it: they get the time of Redis, a
 * settlement gets its note, and fields that BullMQ could not read are mended in the answers.
 */
export class ConsumerClient {
  /** In the place of the client that is shared. */
  readonly connection: RedisClient;
  readonly #client: RedisClient;
  readonly #clock: RedisClock;
  /** By the job's key. */
  readonly #notes = new Map<string, Note>();
  /** By the job's id. */
  readonly #facts = new Map<string, StoredFacts>();

  constructor(client: RedisClient, clock: RedisClock) {
    this.#client = client;
    this.#clock = clock;
    const runCommand = (name: string, values: unknown[]): Promise<unknown> =>
      givesOut.test(name) ? this.#run(name, values) : client.runCommand(name, values);
    this.connection = new Proxy(client, {
      get: (target, property) =>
        property === "runCommand" ? runCommand : Reflect.get(target, property, target),
    });
  }

  /** What a job's fields say beyond BullMQ's reading of them. It is told once. */
  takeFacts(id: string): StoredFacts {
    const facts = this.#facts.get(id);
    this.#facts.delete(id);
    return facts ?? noFacts;
  }

  /** Writes the note together with what `settle` makes BullMQ write about that job. */
  async withNote<T>(note: Note, settle: () => Promise<T>): Promise<T> {
    const jobKey = note.keys + note.lease.id;
    this.#notes.set(jobKey, note);
    try {
      return await settle();
    } finally {
      this.#notes.delete(jobKey);
    }
  }

  async #run(name: string, values: unknown[]): Promise<unknown> {
    const time = values.findIndex((value) => typeof value === "number");
    if (time !== -1) values[time] = this.#clock.now();
    const note = this.#notes.size > 0 ? this.#noteAmong(values) : undefined;
    const answer = await (note === undefined
      ? this.#client.runCommand(name, values)
      : this.#runWith(note, name, values));
    return this.#read(answer);
  }

  #noteAmong(values: readonly unknown[]): Note | undefined {
    for (const value of values) {
      const note = typeof value === "string" ? this.#notes.get(value) : undefined;
      if (note !== undefined) return note;
    }
    return undefined;
  }

  async #runWith(note: Note, name: string, values: unknown[]): Promise<unknown> {
    write.define(this.#client);
    hold.define(this.#client);
    const { keys, requests, cancellations, lease, runAt = "", cancelledAt = "", keyHeldMs = 0 } = note;
    let transaction = this.#client
      .multi()
      .runCommand(write.name, [keys, requests, cancellations, lease.id, lease.token, runAt, cancelledAt])
      .runCommand(name, values);
    if (keyHeldMs > 0) {
      const held = [keys + lease.id, cancellations, lease.id, cancelledAt, String(keyHeldMs)];
      transaction = transaction.runCommand(hold.name, held);
    }
    const results = await transaction.exec();
    const [error, answer] = results?.[1] ?? [new Error("the transaction was not executed"), undefined];
    if (error) throw error;
    return answer;
  }

  /** The answer is a job's fields, its id and delays; or a number. */
  #read(answer: unknown): unknown {
    if (!Array.isArray(answer) || !Array.isArray(answer[0])) return answer;
    const [fields, id, ...rest] = answer as [string[], string, ...unknown[]];
    const [mended, facts] = readFields(fields);
    this.#facts.set(id, facts);
    return [mended, id, ...rest];
  }
}
