import { type ConnectionOptions, type JobsOptions, Queue, type QueueOptions } from "bullmq";
import { AddCommand } from "./add-command.ts";
import { addScriptFor } from "./add-script.ts";
import type { RedisClient } from "./redis-client.ts";

/** A new job: its id, of 36 characters, and the JSON text of its data. */
interface BatchedJob {
  readonly id: string;
  readonly dataText: string;
}

/** New jobs that are added at once. They have the same options. */
export interface Batch {
  readonly jobs: readonly BatchedJob[];
  /** If there may be jobs of the same ids: the key of the hash of cancel requests, which loses those for jobs that are gone. */
  readonly cancelRequests: string | undefined;
  /** The key that no other job may hold. */
  readonly uniqueKey: string | undefined;
  /** Batches of one shape differ in their jobs alone. Undefined if BullMQ has to look at the options of this one. */
  readonly shape: string | undefined;
}

/** A job of a batch, or the one that is there instead. */
export interface AddedJob {
  readonly id: string;
  readonly isDuplicate: boolean;
}

/** A batch for which BullMQ makes a command. */
interface MakingBatch {
  readonly batch: Batch;
  added: readonly AddedJob[];
}

/** How many commands are kept. Programs have few shapes of jobs. */
const maxCommands = 50;

/**
 * A BullMQ queue that adds a batch of jobs with one command, whose data are JSON text: BullMQ would turn a value to text again. BullMQ
 * makes the command for the first job. The others differ in id and data alone, so a script that repeats BullMQ's stores them all. Later
 * batches of the same shape have the same command: making it takes BullMQ as long as all else that this process does for an enqueue.
 */
export class BatchQueue<Data> extends Queue<Data> {
  readonly #client: RedisClient;
  /** Batches for which BullMQ makes a command, by the JSON text that it gets in place of the data. */
  readonly #making: Map<string, MakingBatch>;
  readonly #commands = new Map<string, AddCommand>();

  constructor(name: string, client: RedisClient, options: Omit<QueueOptions, "connection">) {
    const making = new Map<string, MakingBatch>();
    const runCommand = (command: string, values: readonly unknown[]): Promise<unknown> => {
      const place = values.at(-2);
      const made = typeof place === "string" ? making.get(place) : undefined;
      if (made === undefined) return client.runCommand(command, values);
      making.delete(place as string);
      return this.#runMade(made, command, values);
    };
    const connection = new Proxy(client, {
      get: (target, key) => (key === "runCommand" ? runCommand : Reflect.get(target, key, target)),
      set: (target, key, value) => Reflect.set(target, key, value, target),
    }) as unknown as ConnectionOptions;
    super(name, { ...options, connection });
    this.#client = client;
    this.#making = making;
  }

  /**
   * Adds all jobs but those whose key is taken, or none. Batches are added in the order of the calls. Resolves to one element for each
   * job, in their order.
   *
   * @throws (rejects with) what BullMQ and Redis refuse.
   */
  addBatch(name: string, optionsOf: () => JobsOptions, batch: Batch): Promise<readonly AddedJob[]> {
    const command = batch.shape === undefined ? undefined : this.#commands.get(batch.shape);
    // A batch does not overtake those for which BullMQ still makes a command.
    if (command === undefined || this.#making.size > 0) return this.#make(name, optionsOf(), batch);
    const [{ id }] = batch.jobs as [BatchedJob];
    return this.#run(command, command.packedFor(id), batch).then((answer) => addedFrom(answer, batch));
  }

  async #make(name: string, options: JobsOptions, batch: Batch): Promise<readonly AddedJob[]> {
    const [{ id: jobId }] = batch.jobs as [BatchedJob];
    const placeholder = crypto.randomUUID();
    const place = JSON.stringify(placeholder);
    const made: MakingBatch = { batch, added: [] };
    this.#making.set(place, made);
    try {
      await this.add(name as never, placeholder as never, { ...options, jobId });
    } finally {
      this.#making.delete(place);
    }
    return made.added;
  }

  /** Runs the command that BullMQ has made, and keeps it for batches of the same shape. BullMQ throws if it gets a number below 0. */
  async #runMade(made: MakingBatch, name: string, values: readonly unknown[]): Promise<unknown> {
    const { batch } = made;
    const [{ id }] = batch.jobs as [BatchedJob];
    const command = new AddCommand(name, values, id);
    if (batch.shape !== undefined && command.isRepeatable) {
      if (this.#commands.size === maxCommands) this.#commands.clear();
      this.#commands.set(batch.shape, command);
    }
    const answer = await this.#run(command, command.job, batch);
    if (typeof answer === "number") return answer;
    made.added = addedFrom(answer, batch);
    return id;
  }

  #run(
    { name, keys }: AddCommand,
    { packed, packedOptions }: AddCommand["job"],
    { jobs, cancelRequests = "", uniqueKey }: Batch,
  ): Promise<unknown> {
    const isKeyed = cancelRequests !== "" || uniqueKey !== undefined;
    // BullMQ's own script takes Redis a sixth less time than ours does for one job.
    if (jobs.length === 1 && !isKeyed) {
      return this.#client.runCommand(name, [
        ...keys,
        packed,
        (jobs[0] as BatchedJob).dataText,
        packedOptions,
      ]);
    }
    let jobsText = "";
    // JSON text has no line breaks.
    for (const { id, dataText } of jobs) jobsText += `${id}${dataText}\n`;
    const values = [...keys, packed, packedOptions, jobsText];
    if (isKeyed) values.push(this.toKey(""), cancelRequests);
    if (uniqueKey !== undefined) values.push(uniqueKey);
    return addScriptFor(name).run(this.#client, values);
  }
}

/** Reads the answer of either script. BullMQ's answers an id, or a number below 0 for a job that it refuses. */
function addedFrom(answer: unknown, { jobs }: Batch): readonly AddedJob[] {
  if (typeof answer === "number") throw new Error(`BullMQ refuses the job with the code ${answer}`);
  const added: AddedJob[] = jobs.map(({ id }) => ({ id, isDuplicate: false }));
  if (!Array.isArray(answer)) return added;
  for (let index = 0; index < answer.length; index += 2) {
    added[(answer[index] as number) - 1] = { id: answer[index + 1] as string, isDuplicate: true };
  }
  return added;
}
