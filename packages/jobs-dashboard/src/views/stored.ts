import type { EngineReader } from "../engines/engine-reader.ts";
import type { WatchedCounts, WatchedJob, WatchedQuery } from "../engines/watched-engine.ts";
import { errorMessageOf } from "../error-message.ts";
import type { RedactedJob } from "../options.ts";
import type {
  PayloadView,
  StoredJobRow,
  StoredJobsView,
  StoredJobView,
  StoredState,
} from "../wire-stored.ts";
import { readingOf } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { attemptsOf, progressOf, runFacts } from "./runs.ts";
import { timeOf } from "./time.ts";

/** How many jobs a page of a list has. */
const pageSize = 50;

/** The largest payload that is shown, in bytes. */
const maxPayload = 65_536;

/** How many names a list offers to choose from. */
const maxNames = 500;

const noJobs = { isRead: false, readAt: null, error: null, jobs: [], cursor: null, counts: null, names: [] };

/** Lists the jobs of one engine, by name and state. */
export async function storedJobsView(
  model: PageModel,
  engine: string,
  query: WatchedQuery,
): Promise<StoredJobsView> {
  const reader = model.readers.get(engine);
  if (reader === undefined) return { engine, ...noJobs };
  const [answer, stats] = await Promise.all([reader.list({ ...query, limit: pageSize }), reader.stats.get()]);
  const byName = stats.value?.byName ?? {};
  const { jobName } = query;
  const counts =
    jobName === undefined ? stats.value : Object.hasOwn(byName, jobName) ? byName[jobName] : undefined;
  return {
    engine,
    ...readingOf(answer),
    jobs: (answer.value?.jobs ?? []).map(storedRow),
    cursor: answer.value?.cursor ?? null,
    counts: counts === undefined ? null : countsByState(counts),
    names: Object.keys(byName).sort().slice(0, maxNames),
  };
}

/** Names the counts like the states. */
export function countsByState(counts: WatchedCounts): Readonly<Record<StoredState, number>> {
  const { scheduled, waiting, running, succeeded, deadLettered, cancelled } = counts;
  return { scheduled, waiting, running, succeeded, "dead-lettered": deadLettered, cancelled };
}

function storedRow(job: WatchedJob): StoredJobRow {
  return {
    id: job.id,
    jobName: job.jobName,
    state: job.state as StoredState,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts ?? null,
    enqueuedAt: timeOf(job.enqueuedAt),
    runAt: timeOf(job.runAt),
    startedAt: timeOf(job.startedAt),
    finishedAt: timeOf(job.finishedAt),
    priority: job.priority ?? null,
    correlationId: job.correlationId ?? null,
    lastError: job.errors?.[0]?.message?.slice(0, 500) ?? null,
    progress: progressOf(job.progress),
  };
}

/** Describes one stored job, with its attempts in this process. */
export async function storedJobView(model: PageModel, engine: string, jobId: string): Promise<StoredJobView> {
  const reader = model.readers.get(engine);
  if (reader === undefined) return { engine: null, job: null, runs: [], error: null };
  const { identity } = reader;
  const { value: job, readAt, error } = await reader.job(jobId);
  if (error !== null || readAt === null)
    return { engine: identity, job: null, runs: [], error: error ?? "no answer yet" };
  const details = job === undefined ? null : storedDetails(model, job);
  return { engine: identity, job: details, runs: attempts(model, jobId, job), error: null };
}

function storedDetails(model: PageModel, job: WatchedJob): NonNullable<StoredJobView["job"]> {
  const { id: jobId, jobName, attributes = {}, errors = [] } = job;
  return {
    ...storedRow(job),
    attributes: model.attributes({ jobName, jobId, attributes }),
    errors: errors.slice(0, 10).map(({ attempt, message, at }) => ({
      attempt,
      message: message?.slice(0, 4_000) ?? "",
      at: timeOf(at),
    })),
  };
}

function attempts(model: PageModel, jobId: string, job: WatchedJob | undefined): StoredJobView["runs"] {
  return attemptsOf(model, jobId, job?.jobName).map(({ context, status, traceId }) => ({
    ...runFacts(model, context, status, traceId),
    error: model.process.failures.of(context)?.error ?? null,
  }));
}

/** Returns the payload of a stored job as `redact` shows it. */
export async function payloadView(model: PageModel, engine: string, jobId: string): Promise<PayloadView> {
  const reader = model.readers.get(engine);
  if (reader === undefined || jobId === "" || !model.canShowPayloads) return hiddenPayload;
  try {
    const found = await withPayload(reader, jobId);
    return found === undefined ? hiddenPayload : shownPayload(model, found);
  } catch (error) {
    return { ...hiddenPayload, error: errorMessageOf(error) };
  }
}

const hiddenPayload: PayloadView = { text: null, isCut: false, error: null };

function shownPayload(
  model: PageModel,
  { id: jobId, jobName, payload, attributes = {} }: WatchedJob,
): PayloadView {
  const text = textOf(model.redact({ jobName, jobId, payload, attributes }));
  if (text === undefined) return hiddenPayload;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxPayload));
  return { text: text.slice(0, read), isCut: read < text.length, error: null };
}

/** Returns the payload as JSON. If it is no JSON, or could not be redacted, it stays hidden. */
function textOf(shown: RedactedJob | undefined): string | undefined {
  try {
    return JSON.stringify(shown?.payload, null, 2);
  } catch {
    return undefined;
  }
}

async function withPayload(reader: EngineReader, jobId: string): Promise<WatchedJob | undefined> {
  const { job } = reader.engine;
  if (job !== undefined) return job.call(reader.engine, jobId, { withPayload: true });
  const letters = await reader.engine.deadLetters({ limit: reader.deadLetterLimit });
  const letter = letters.find(({ id }) => id === jobId);
  if (letter === undefined) return undefined;
  return {
    id: jobId,
    jobName: letter.jobName,
    state: "dead-lettered",
    attempt: letter.attempts,
    payload: letter.payload,
  };
}
