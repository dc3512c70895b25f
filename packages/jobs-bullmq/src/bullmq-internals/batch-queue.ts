import { type ConnectionOptions, type JobsOptions, Queue, type QueueOptions } from "bullmq";
import { bullmqScript } from "./bullmq-script.ts";
import type { RedisClient } from "./redis-client.ts";
import { Script } from "./script.ts";

/** A new job: its id, of 36 characters, and the JSON text of its data. */
export interface BatchedJob {
  readonly id: string;
  readonly dataText: string;
}

/**
 * A BullMQ queue that adds a batch of jobs with one command, whose data are JSON text: BullMQ would turn a value to text again. BullMQ
 * makes the command for the first job. The others differ in id and data alone, so a script that repeats BullMQ's stores them all.
 */
export class BatchQueue<Data> extends Queue<Data> {
  /** Batches on their way, by the JSON text of the id of their first job. */
  readonly #batches: Map<string, readonly BatchedJob[]>;

  constructor(name: string, client: RedisClient, options: Omit<QueueOptions, "connection">) {
    const batches = new Map<string, readonly BatchedJob[]>();
    const runCommand = (command: string, values: readonly unknown[]): Promise<unknown> => {
      const place = values.at(-2);
      const jobs = typeof place === "string" ? batches.get(place) : undefined;
      if (jobs === undefined) return client.runCommand(command, values);
      const packedOptions = values.at(-1);
      const [first] = jobs as [BatchedJob];
      if (jobs.length === 1)
        return client.runCommand(command, [...values.slice(0, -2), first.dataText, packedOptions]);
      // JSON text has no line breaks.
      const jobsText = jobs.map(({ id, dataText }) => `${id}${dataText}\n`).join("");
      return scriptFor(command).run(client, [...values.slice(0, -2), packedOptions, jobsText]);
    };
    const connection = new Proxy(client, {
      get: (target, key) => (key === "runCommand" ? runCommand : Reflect.get(target, key, target)),
      set: (target, key, value) => Reflect.set(target, key, value, target),
    }) as unknown as ConnectionOptions;
    super(name, { ...options, connection });
    this.#batches = batches;
  }

  /**
   * Adds all jobs or none. Resolves to the id of the first one, or of the job that holds its unique key.
   *
   * @throws (rejects with) what BullMQ and Redis refuse.
   */
  async addBatch(
    name: string,
    options: JobsOptions,
    jobs: readonly BatchedJob[],
  ): Promise<string | undefined> {
    const [{ id: jobId }] = jobs as [BatchedJob];
    const place = JSON.stringify(jobId);
    this.#batches.set(place, jobs);
    try {
      const { id } = await this.add(name as never, jobId as never, { ...options, jobId });
      return id;
    } finally {
      this.#batches.delete(place);
    }
  }
}

const scripts = new Map<string, Script>();

/** Returns the script that repeats the one of a BullMQ command, such as "addStandardJob:5.81.5". */
function scriptFor(command: string): Script {
  let script = scripts.get(command);
  if (script === undefined) {
    const { lua, numberOfKeys } = bullmqScript(command);
    script = new Script(`nidusRepeated:${command}`, numberOfKeys, repeated(lua));
    scripts.set(command, script);
  }
  return script;
}

/**
 * Returns a script that runs BullMQ's for each job. KEYS: BullMQ's. ARGV: BullMQ's packed arguments for the first job, and its packed
 * options, which have the id of that job; the jobs, each as its id, its data and a line break. Answers what BullMQ's script does for the
 * first job.
 */
function repeated(lua: string): string {
  return `
local function addJob(KEYS, ARGV)
${lua}
end
local jobs, answer, start = ARGV[3], nil, 1
local function withId(packed)
  local at = string.find(packed, string.sub(jobs, 1, 36), 1, true)
  if not at then return function() return packed end end
  local before, after = string.sub(packed, 1, at - 1), string.sub(packed, at + 36)
  return function(id) return before .. id .. after end
end
local argumentsOf, optionsOf = withId(ARGV[1]), withId(ARGV[2])
repeat
  local stop = string.find(jobs, '\\n', start, true)
  local id, data = string.sub(jobs, start, start + 35), string.sub(jobs, start + 36, stop - 1)
  local added = addJob(KEYS, { argumentsOf(id), data, optionsOf(id) })
  answer = answer or added
  start = stop + 1
until start > #jobs
return answer`;
}
