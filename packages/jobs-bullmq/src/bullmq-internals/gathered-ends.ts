import { nextTick } from "node:process";
// Imported, since tests replace the globals: the jobs would never hear of their answers.
import { setImmediate } from "node:timers";
import { bullmqScript } from "./bullmq-script.ts";
import { gatherWrites } from "./gathered-writes.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** The number of keys of BullMQ's command that ends a job. */
const numberOfKeys = 14;

/** What BullMQ passes to its command, by its place: first the keys, then the arguments. */
const place = {
  jobKey: 11,
  id: 14,
  time: 15,
  field: 16,
  result: 17,
  state: 18,
  wantsNext: 19,
  keyPrefix: 20,
  options: 21,
  fieldsToUpdate: 22,
  count: 23,
} as const;

/** The most jobs that one command completes: Redis works on these while this process makes the next command. */
const maxJobs = 8;

/** A job that waits for its command. */
interface WaitingEnd {
  readonly name: string;
  readonly values: readonly unknown[];
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

const gathered = new WeakMap<RedisClient, GatheredEnds>();

/**
 * Completes jobs that succeed in the same tick with one command, whatever their queues. With a command for each, a job took a fifth more processor
 * time of this process: for BullMQ's 14 keys, the command's text and its answer.
 */
export class GatheredEnds {
  readonly #client: RedisClient;
  #waiting: WaitingEnd[] = [];

  private constructor(client: RedisClient) {
    this.#client = client;
  }

  /** Returns those of a client, which all workers of an engine share. */
  static of(client: RedisClient): GatheredEnds {
    const ends = gathered.get(client) ?? new GatheredEnds(client);
    gathered.set(client, ends);
    return ends;
  }

  /** Runs BullMQ's command, alone or with others. Resolves to BullMQ's answer for this job. */
  complete(name: string, values: readonly unknown[]): Promise<unknown> {
    // Those that wait are of another version of BullMQ.
    if (this.#waiting[0] !== undefined && this.#waiting[0].name !== name) this.#send();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, values, resolve, reject });
      if (this.#waiting.length === 1) nextTick(() => this.#send());
      if (this.#waiting.length === maxJobs) this.#send();
    });
  }

  async #send(): Promise<void> {
    const ends = this.#waiting;
    this.#waiting = [];
    if (ends.length === 0) return;
    try {
      const answers = await this.#run(ends as [WaitingEnd, ...WaitingEnd[]]);
      // In turns of their own: the jobs of one answer are back in Redis before those of the next answer run.
      if (ends.length > 1) setImmediate(tell, ends, answers);
      else tell(ends, answers);
    } catch (error) {
      for (const { reject } of ends) reject(error);
    }
  }

  async #run(ends: readonly [WaitingEnd, ...WaitingEnd[]]): Promise<readonly unknown[]> {
    const [{ name, values: first }] = ends;
    if (ends.length === 1) {
      gatherWrites(this.#client);
      return [await this.#client.runCommand(name, first)];
    }
    const values = [...first.slice(0, numberOfKeys), first[place.time], first[place.keyPrefix]];
    for (const { values: own } of ends) {
      values.push(
        own[place.keyPrefix],
        own[place.id],
        own[place.result],
        own[place.wantsNext],
        own[place.options],
      );
    }
    return (await scriptFor(name).run(this.#client, values)) as unknown[];
  }
}

/** Tells whether a command of BullMQ completes a job and does nothing else, and is as `GatheredEnds` knows it. */
export function isPlainEnd(name: string, values: readonly unknown[]): boolean {
  return (
    values.length === place.count &&
    values[place.state] === "completed" &&
    values[place.field] === "returnvalue" &&
    values[place.fieldsToUpdate] === undefined &&
    values[place.jobKey] === `${values[place.keyPrefix]}${values[place.id]}` &&
    name.startsWith("moveToFinished:")
  );
}

function tell(ends: readonly WaitingEnd[], answers: readonly unknown[]): void {
  for (const [index, { resolve, reject }] of ends.entries()) {
    const answer = answers[index];
    if (answer instanceof Error) reject(answer);
    else resolve(answer);
  }
}

const scripts = new Map<string, Script>();

function scriptFor(command: string): Script {
  let script = scripts.get(command);
  if (script === undefined) {
    script = new Script(`nidusEnd:${command}`, numberOfKeys, completingJobs(bullmqScript(command).lua));
    scripts.set(command, script);
  }
  return script;
}

/**
 * Returns a script that runs BullMQ's for each job. KEYS: BullMQ's, for any of the jobs. ARGV: the time; the first part of these keys; of each
 * job, the first part of its queue's keys, its id, its result, whether a next job is wanted, and BullMQ's packed options. Answers what BullMQ's
 * script answers for each job. An error is the answer for its job alone, and says that it is a script's, as `isRefusedScript` expects it.
 */
function completingJobs(lua: string): string {
  return `
local function complete(KEYS, ARGV)
${lua}
end
local time, answers, keysOf = ARGV[1], {}, { [ARGV[2]] = KEYS }
for i = 3, #ARGV, 5 do
  local keyPrefix, id, keys = ARGV[i], ARGV[i + 1], keysOf[ARGV[i]]
  if keys == nil then
    keys = {}
    for n, key in ipairs(KEYS) do keys[n] = keyPrefix .. string.sub(key, #ARGV[2] + 1) end
    keysOf[keyPrefix] = keys
  end
  keys[${place.jobKey + 1}] = keyPrefix .. id
  local isRun, answer =
    pcall(complete, keys, { id, time, 'returnvalue', ARGV[i + 2], 'completed', ARGV[i + 3], keyPrefix, ARGV[i + 4] })
  if not isRun then answer = { err = (type(answer) == 'table' and answer.err or tostring(answer)) .. ', in user_script' } end
  answers[#answers + 1] = answer
end
return answers`;
}
