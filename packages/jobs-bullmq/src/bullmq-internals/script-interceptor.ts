import { raw2NextJobData } from "bullmq";
import { bullmqScript } from "./bullmq-script.ts";
import { keepCancelled } from "./cancelled-jobs.ts";
import { GatheredEnds, isPlainEnd } from "./gathered-ends.ts";
import { gatherWrites } from "./gathered-writes.ts";
import { holdKeyScript } from "./hold-key.ts";
import type { LeaseCommand } from "./lease-command.ts";
import type { Lease } from "./leases.ts";
import { notBlockingClient } from "./not-blocking-client.ts";
import { moveByRetention } from "./own-retention.ts";
import { type ParsedFields, parseFields, unparsed } from "./parsed-fields.ts";
import type { RedisClient } from "./redis-client.ts";
import { saveProgressLua } from "./save-progress.ts";
import { Script } from "./script.ts";
import { isScriptLost } from "./script-errors.ts";
import { freeUniqueKey } from "./unique-keys.ts";

/** The time of Redis. */
export interface Clock {
  /** Milliseconds by which the clock of Redis is ahead of the clock of this process. */
  readonly offsetMs: number;
  now(): number;
}

/** Fields that are written together with an outcome, in one transaction. */
interface OutcomeNote {
  /** The first part of the queue's keys. */
  readonly keys: string;
  /** The key of the hash of cancel requests. */
  readonly requests: string;
  /** The key of the sorted set of cancelled jobs. */
  readonly cancellations: string;
  readonly lease: Lease;
  /** When the next attempt can start, in Unix milliseconds of Redis's clock. Its fraction marks the settlement that wrote it. */
  readonly runAt?: string;
  /** The headers for the next run, as `carrierText` makes them. */
  readonly carrier?: string | undefined;
  /** When the job was cancelled. Its fraction marks the settlement that wrote it. */
  readonly cancelledAt?: string;
  /** Milliseconds for which a cancelled job is kept that says nothing about it. */
  readonly retainedMs?: number;
  /** JSON text of the errors of its attempts. */
  readonly errorsText?: string;
  /** Milliseconds for which the idempotency key of a cancelled job is held, if it has one. */
  readonly keyHeldMs?: number;
  /** Milliseconds by which a job that succeeds is kept longer than others. 0 or undefined: for as long. */
  readonly keptLongerMs?: number;
  /** The JSON text of the last progress. */
  readonly progress?: string | undefined;
}

/**
 * Writes a note. Does nothing without the lease, as the settlement after it. KEYS: the first part of the queue's keys, requests,
 * cancellations. ARGV: id, token, runAt, cancelledAt, carrier, retainedMs, errorsText, progress.
 */
const writeNote = new Script(
  "nidusNote",
  3,
  `${freeUniqueKey}${keepCancelled}${saveProgressLua}
local id, job = ARGV[1], KEYS[1] .. ARGV[1]
if redis.call('GET', job .. ':lock') ~= ARGV[2] or redis.call('EXISTS', job) == 0 then return 0 end
if ARGV[7] ~= '' then redis.call('HSET', job, 'nidusErrors', ARGV[7]) end
if ARGV[8] ~= '' then saveProgress(KEYS[1], id, ARGV[8]) end
if ARGV[3] ~= '' then redis.call('HSET', job, 'nidusRunAt', ARGV[3]) else redis.call('HDEL', KEYS[2], id) end
if ARGV[4] ~= '' then
  keepCancelled(KEYS[1], id, KEYS[3], ARGV[4], ARGV[6])
  freeUniqueKey(KEYS[1], id)
end
if ARGV[5] ~= '' then redis.call('HSET', job, 'nidusCarrier', ARGV[5]) else redis.call('HDEL', job, 'nidusCarrier') end
return 1`,
);

const notBelow0 = (): number => 0;

/** BullMQ's scripts that lease and settle jobs. The first number among their arguments is the time. */
const leasingScripts = /^(moveToActive|moveToFinished|moveToDelayed):/;

/**
 * Stands between a BullMQ worker and the shared client, and changes BullMQ's scripts that lease and settle jobs: they get the time
 * of Redis, a settlement writes its note in the same transaction, and the answers have fields that BullMQ can parse.
 */
export class ScriptInterceptor {
  /** The client that the worker gets in place of the shared one. */
  readonly client: RedisClient;
  /** When the next job is due, as the last answer without a job said, in Unix milliseconds of Redis's clock. */
  nextDueMs: number | undefined;
  /** The last command with which BullMQ itself has leased a job: its name, and what BullMQ passed. */
  lastLease: readonly [name: string, values: readonly unknown[]] | undefined;
  readonly #shared: RedisClient;
  readonly #clock: Clock;
  readonly #ends: GatheredEnds;
  readonly #notesByJobKey = new Map<string, OutcomeNote>();
  readonly #fieldsById = new Map<string, ParsedFields>();

  constructor(client: RedisClient, clock: Clock) {
    this.#shared = client;
    this.#clock = clock;
    this.#ends = GatheredEnds.of(client);
    const runCommand = (name: string, values: unknown[]): Promise<unknown> =>
      leasingScripts.test(name) ? this.#run(name, values) : client.runCommand(name, values);
    const replaced: Readonly<Record<PropertyKey, unknown>> = {
      runCommand,
      duplicate: () => notBlockingClient(client),
    };
    this.client = new Proxy(client, {
      get: (target, name) => replaced[name] ?? Reflect.get(target, name, target),
    });
  }

  /** Returns what was parsed from a job's fields, and forgets it. */
  takeParsedFields(id: string): ParsedFields {
    const fields = this.#fieldsById.get(id);
    this.#fieldsById.delete(id);
    return fields ?? unparsed;
  }

  /** Writes a note in the transaction in which BullMQ settles the job. */
  async withNote<T>(note: OutcomeNote, settle: () => Promise<T>): Promise<T> {
    const jobKey = note.keys + note.lease.id;
    this.#notesByJobKey.set(jobKey, note);
    try {
      return await settle();
    } finally {
      this.#notesByJobKey.delete(jobKey);
    }
  }

  /** Leases a job, if there is one now. Resolves to the answer as BullMQ reads it. */
  lease(command: LeaseCommand, token: string): Promise<unknown> {
    gatherWrites(this.#shared);
    const values = command.valuesFor(token, this.#clock.now());
    return this.#shared.runCommand(command.name, values).then(this.#readLease);
  }

  readonly #readLease = (answer: unknown): unknown => raw2NextJobData(this.#read(answer) as unknown[]);

  #run(name: string, values: unknown[]): Promise<unknown> {
    if (name.startsWith("moveToActive:")) this.lastLease = [name, [...values]];
    // A loop, and no callback or async function: this runs for every job.
    for (let index = 0; index < values.length; index++) {
      if (typeof values[index] !== "number") continue;
      values[index] = this.#clock.now();
      break;
    }
    const note = this.#notesByJobKey.size > 0 ? this.#noteFor(values) : undefined;
    if (note === undefined && isPlainEnd(name, values))
      return this.#ends.complete(name, values).then(this.#read);
    gatherWrites(this.#shared);
    return note === undefined
      ? this.#shared.runCommand(name, values).then(this.#read)
      : this.#runWith(note, name, values).then(this.#read);
  }

  #noteFor(values: readonly unknown[]): OutcomeNote | undefined {
    for (const value of values) {
      const note = typeof value === "string" ? this.#notesByJobKey.get(value) : undefined;
      if (note !== undefined) return note;
    }
    return undefined;
  }

  async #runWith(
    note: OutcomeNote,
    name: string,
    values: readonly unknown[],
    isRepeated = false,
  ): Promise<unknown> {
    const { keys, requests, cancellations, lease, runAt = "", cancelledAt = "", keyHeldMs = 0 } = note;
    const { keptLongerMs = 0, carrier = "", retainedMs = 0, errorsText = "", progress = "" } = note;
    // A transaction knows the scripts that its client knew when it began.
    writeNote.define(this.#shared);
    if (keyHeldMs > 0) holdKeyScript.define(this.#shared);
    if (keptLongerMs !== 0) moveByRetention.define(this.#shared);
    const noted = [keys, requests, cancellations, lease.id, lease.token, runAt, cancelledAt];
    let transaction = this.#shared
      .multi()
      .runCommand(writeNote.name, [...noted, carrier, String(retainedMs), errorsText, progress])
      .runCommand(name, values);
    if (keyHeldMs > 0) {
      const held = [keys + lease.id, cancellations, lease.id, cancelledAt, String(keyHeldMs)];
      transaction = transaction.runCommand(holdKeyScript.name, held);
    }
    if (keptLongerMs !== 0)
      transaction = transaction.runCommand(moveByRetention.name, [keys, lease.id, String(keptLongerMs)]);
    const results = await transaction.exec();
    const [error, answer] = results?.[1] ?? [new Error("the transaction was not executed"), undefined];
    if (!error) return answer;
    if (isRepeated || !isScriptLost(error)) throw error;
    // Redis has lost the script, so the job is as it was. The note may be written twice.
    this.#shared.defineCommand(name, bullmqScript(name));
    return this.#runWith(note, name, values, true);
  }

  /** Reads an answer without a job: it says for how long the queue gives none out, or when its next job is due. */
  dueMsFrom([, , pauseMs, dueMs]: readonly unknown[]): number | undefined {
    const [pause, due] = [Number(pauseMs), Number(dueMs)];
    if (pause > 0) return this.#clock.now() + pause + 1;
    return due > 0 ? due : undefined;
  }

  /** Parses an answer that has a job: its fields, its id and delays. Other answers are numbers, or have no fields. */
  readonly #read = (answer: unknown): unknown => {
    if (!Array.isArray(answer)) return answer;
    const [fields, id] = answer as [string[], string];
    if (!Array.isArray(fields)) {
      this.nextDueMs = this.dueMsFrom(answer);
      return answer;
    }
    this.#fieldsById.set(id, parseFields(fields));
    // BullMQ asks whether the answer is below 0. Without this, all fields would be made one text for it.
    answer.valueOf = notBelow0;
    return answer;
  };
}
