import { type StoredJobsPage, type StoredJobsQuery, wrongCursor } from "../backend/stored-jobs-query.ts";
import type { MemoryJob } from "./memory-job.ts";
import { storedJobFrom, storedStateOf } from "./stored-jobs.ts";

/** The place of a job in the list. */
type Place = Pick<MemoryJob, "name" | "id" | "number">;

/** Returns less than 0 if `a` comes first. */
type Compare = (a: Place, b: Place) => number;

/** The order of the jobs of one name. */
const newestFirst: Compare = (a, b) => b.number - a.number;

/** The order of the jobs of all names. */
const byNameAndId: Compare = (a, b) => compareTexts(a.name, b.name) || compareTexts(a.id, b.id);

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Makes a page of the jobs of the table. */
export function pageOf(
  jobs: Iterable<MemoryJob>,
  { jobName, state, limit, position, withPayload }: StoredJobsQuery,
): StoredJobsPage {
  const compare = jobName === undefined ? byNameAndId : newestFirst;
  const after = position && placeFrom(position);
  const nowMs = Date.now();
  const first: MemoryJob[] = [];
  for (const job of jobs) {
    if (jobName !== undefined && job.name !== jobName) continue;
    if (state !== undefined && storedStateOf(job, nowMs) !== state) continue;
    if (after !== undefined && compare(job, after) <= 0) continue;
    insert(first, job, limit + 1, compare);
  }
  const page = first.slice(0, limit);
  const last = first.length > limit ? page.at(-1) : undefined;
  return {
    jobs: page.map((job) => storedJobFrom(job, withPayload, nowMs)),
    position: last && [last.name, last.id, String(last.number)],
  };
}

/** Keeps the first `most` jobs in order. */
function insert(first: MemoryJob[], job: MemoryJob, most: number, compare: Compare): void {
  const isFull = first.length === most;
  if (isFull && compare(job, first.at(-1) as MemoryJob) > 0) return;
  let [low, high] = [0, first.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(first[middle] as MemoryJob, job) < 0) low = middle + 1;
    else high = middle;
  }
  if (isFull) first.pop();
  first.splice(low, 0, job);
}

function placeFrom([name = "", id = "", number = "", ...rest]: readonly string[]): Place {
  if (!/^\d{1,15}$/.test(number) || rest.length > 0) throw wrongCursor();
  return { name, id, number: Number(number) };
}
