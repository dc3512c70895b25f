import type { EngineReader } from "../engines/engine-reader.ts";
import type { WatchedJob } from "../engines/watched-engine.ts";
import { normalisedMessage } from "../process/error-text.ts";
import { type FailureRecord, keptFailures } from "../process/failure-log.ts";
import type { FailureGroup, FailureSample, FailuresView } from "../wire.ts";
import { readingOf } from "./overview.ts";
import type { PageModel } from "./page-model.ts";
import { timeOf } from "./time.ts";

/** How many of the latest failures of a group are shown, and how many groups. */
const maxSamples = 5;
const maxGroups = 300;

type Group = { -readonly [Key in keyof FailureGroup]: FailureGroup[Key] } & {
  samples: FailureSample[];
  jobIds: string[];
};

/** Groups the failed runs of this process and the dead letters of the engines by their errors, the latest first. */
export async function failuresView(model: PageModel): Promise<FailuresView> {
  const groups = new Map<string, Group>();
  for (const record of model.process.failures.records()) addRun(groups, record, model);
  const readers = [...model.readers.values()];
  const engines = await Promise.all(readers.map((reader) => addDeadLetters(groups, reader)));
  const latest = [...groups.values()].sort((a, b) => b.lastAt - a.lastAt).slice(0, maxGroups);
  return {
    groups: latest.map((group) => ({ ...group, samples: group.samples.slice(-maxSamples).reverse() })),
    kept: keptFailures,
    dropped: model.process.failures.dropped,
    engines,
  };
}

function addRun(groups: Map<string, Group>, record: FailureRecord, model: PageModel): void {
  const { context, error, message, frame, traceId } = record;
  const { jobName, delivery } = context;
  const key = JSON.stringify(["", jobName, error.className, message, frame]);
  const sample: FailureSample = {
    runId: context.runId,
    jobId: delivery?.jobId ?? null,
    at: Math.round(context.startedAtMs + (context.durationMs ?? 0)),
    message: error.message.slice(0, 500),
    traceId: traceId ?? null,
    traceUrl: model.traceUrl(traceId),
  };
  add(groups, key, { engine: null, jobName, className: error.className, frame, message }, sample);
}

async function addDeadLetters(
  groups: Map<string, Group>,
  reader: EngineReader,
): Promise<FailuresView["engines"][number]> {
  const answer = await reader.deadLetters.get();
  const letters = answer.value ?? [];
  // The newest come first.
  for (const letter of letters.toReversed()) addDeadLetter(groups, reader.identity.key, letter);
  const limit = reader.deadLetterLimit;
  return { key: reader.identity.key, ...readingOf(answer), limit, isFull: letters.length >= limit };
}

function addDeadLetter(groups: Map<string, Group>, engine: string, letter: WatchedJob): void {
  const { id, jobName, errors, finishedAt } = letter;
  const text = errors?.[0]?.message ?? "the store keeps no error";
  const message = normalisedMessage(text);
  const key = JSON.stringify([engine, jobName, message]);
  const at = timeOf(finishedAt) ?? timeOf(errors?.[0]?.at) ?? 0;
  const sample = { runId: null, jobId: id, at, message: text.slice(0, 500), traceId: null, traceUrl: null };
  add(groups, key, { engine, jobName, className: null, frame: null, message }, sample).jobIds.push(id);
}

function add(
  groups: Map<string, Group>,
  key: string,
  facts: Pick<FailureGroup, "engine" | "jobName" | "className" | "frame" | "message">,
  sample: FailureSample,
): Group {
  const known = groups.get(key);
  const group = known ?? {
    key,
    ...facts,
    count: 0,
    firstAt: sample.at,
    lastAt: sample.at,
    samples: [],
    jobIds: [],
  };
  if (known === undefined) groups.set(key, group);
  group.count++;
  group.firstAt = Math.min(group.firstAt, sample.at);
  group.lastAt = Math.max(group.lastAt, sample.at);
  group.samples.push(sample);
  return group;
}
