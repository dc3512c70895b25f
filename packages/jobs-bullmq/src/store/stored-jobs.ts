import type { StoredJob } from "@nidus/jobs-durable";
import { type StoredJobsPage, type StoredJobsQuery, wrongCursor } from "@nidus/jobs-durable/backend";
import {
  findStoredJob,
  isListPart,
  type ListedFields,
  type ListedQueue,
  type ListPlace,
  lastPart,
  listJobs,
} from "../bullmq-internals/index.ts";
import type { Queues } from "./queues.ts";
import { storedJobFrom } from "./stored-job.ts";

/** How many of the jobs that were listed last mark a place in a list. Longer ids, which other programs make, do not mark it. */
const maxMarks = 7;
const maxMarkCharacters = 512;

/** Looks at the jobs of BullMQ's queues. */
export class StoredJobs {
  readonly #queues: Queues;

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  async job(jobId: string, withPayload: boolean): Promise<StoredJob | undefined> {
    const client = await this.#queues.client;
    const queues = (await this.#queues.names()).map((name) => this.#queueOf(name));
    const found = await findStoredJob(client, this.#queues.namesKey, queues, jobId, withPayload);
    return found && storedJobFrom(found.jobName, found.fields, withPayload);
  }

  /** Makes a page: the jobs of one name in the order of `listJobs`, those of all names by name. */
  async page({ jobName, state, limit, position, withPayload }: StoredJobsQuery): Promise<StoredJobsPage> {
    const [firstName, after] = position === undefined ? [] : placeFrom(position);
    if (jobName !== undefined && firstName !== undefined && firstName !== jobName) throw wrongCursor();
    const client = await this.#queues.client;
    const names = jobName === undefined ? (await this.#queues.names()).sort() : [jobName];
    const left = firstName === undefined ? names : names.filter((name) => name >= firstName);
    const begin = left[0] === firstName ? after : undefined;
    const queues = left.map((name) => this.#queueOf(name));
    const options = { state, limit, withPayload };
    const listed = await listJobs(client, this.#queues.namesKey, queues, options, begin);
    const page = listed.slice(0, limit);
    return {
      jobs: page.map(({ queue, fields }) => storedJobFrom(queue.jobName, fields, withPayload)),
      position: listed.length > limit ? positionOf(page) : undefined,
    };
  }

  #queueOf(jobName: string): ListedQueue {
    return {
      jobName,
      keys: this.#queues.keysOf(jobName),
      cancellations: this.#queues.cancellationsOf(jobName),
    };
  }
}

/** Names the place of the last job of a page. */
function positionOf(page: readonly ListedFields[]): readonly string[] {
  const { queue, part, number, fields } = page.at(-1) as ListedFields;
  const own = page.filter((each) => each.queue === queue && each.part === part);
  const marks = isListPart(part) ? own.slice(-maxMarks).map((each) => each.fields.id) : [fields.id];
  const ids = marks.reverse().filter(({ length }) => length <= maxMarkCharacters);
  return [queue.jobName, String(part), number, ...ids];
}

function placeFrom(position: readonly string[]): [name: string, place: ListPlace] {
  const [name = "", part = "", number = "", ...ids] = position;
  const isPart = /^\d$/.test(part) && Number(part) >= 1 && Number(part) <= lastPart;
  const isNumber = /^-?\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,2})?$/.test(number);
  const isPlace = isListPart(Number(part)) ? ids.length <= maxMarks : ids.length === 1;
  if (!isPart || !isNumber || !isPlace) throw wrongCursor();
  return [name, { part: Number(part), number, ids }];
}
