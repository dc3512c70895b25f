import type { StoredJob } from "@nidus/jobs-durable";
import { type StoredJobsPage, type StoredJobsQuery, wrongCursor } from "@nidus/jobs-durable/backend";
import type { ListedJob } from "./list-backend.ts";

/** A job of the list as engines show it. */
export function storedJobFrom(job: ListedJob, withPayload: boolean): StoredJob {
  const { id, name, envelope, attempt, maxAttempts, enqueuedAt, runAt, startedAt, endedAtMs } = job;
  const state = stateOf(job);
  const hasEnded = ["succeeded", "dead-lettered", "cancelled"].includes(state);
  return {
    ...{ id, jobName: name, state, maxAttempts, enqueuedAt, runAt, startedAt },
    attempt: Math.min(attempt, maxAttempts),
    finishedAt: hasEnded ? new Date(endedAtMs) : undefined,
    priority: job.priority,
    correlationId: envelope.correlationId,
    attributes: envelope.attributes ?? {},
    progress: job.progress,
    errors: job.errors,
    ...(withPayload && { payload: structuredClone(envelope.payload) }),
  };
}

function stateOf({ state, runAt }: ListedJob): StoredJob["state"] {
  if (state === "deadLettered") return "dead-lettered";
  if (state !== "pending") return state;
  return runAt.getTime() > Date.now() ? "scheduled" : "waiting";
}

/** A page of these jobs: the newest first of one name, else by name and id. */
export function pageOf(
  jobs: readonly ListedJob[],
  { jobName, state, limit, position, withPayload }: StoredJobsQuery,
): StoredJobsPage {
  const placeOf = ({ name, id, number }: ListedJob): string[] =>
    jobName === undefined ? [name, id] : [String(1e9 - number).padStart(10, "0"), ""];
  if (position !== undefined && (position.length !== 2 || (jobName !== undefined && position[1] !== ""))) {
    throw wrongCursor();
  }
  const after = position && JSON.stringify(position);
  const found = jobs
    .filter(({ name }) => jobName === undefined || name === jobName)
    .filter((job) => state === undefined || stateOf(job) === state)
    .map((job) => ({ job, place: JSON.stringify(placeOf(job)) }))
    .filter(({ place }) => after === undefined || place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    jobs: page.map(({ job }) => storedJobFrom(job, withPayload)),
    position: found.length > limit && last ? placeOf(last.job) : undefined,
  };
}

/** Acts on jobs one by one. Resolves to the ids of those for which something was done. */
export async function actedOn(
  jobIds: readonly string[],
  act: (jobId: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const done: string[] = [];
  for (const id of jobIds) if (await act(id)) done.push(id);
  return done;
}
