import type { JobAttributes, JobDelivery, ObservedJobContext, ObservedJobData } from "@nidus/jobs-observe";
import { bounded, copied } from "./error-text.ts";
import { cutName } from "./job-name.ts";

/** The limits of a kept run, in characters. After `maxAttributes` in keys and values, further attributes are left out. */
const maxKey = 100;
const maxValue = 1_000;
const maxAttributes = 2_000;
const maxId = 2_000;

/** Most runs share the attributes of their runner, and then share the copy. */
const copies = new WeakMap<JobAttributes, JobAttributes>();

/** A bounded copy of a run, whose context may hold much. */
class KeptRun implements ObservedJobData {
  readonly runId: string;
  readonly jobName: string;
  readonly attributes: JobAttributes;
  readonly startedAtMs: number;
  readonly durationMs: number | undefined;
  readonly delivery: JobDelivery | undefined;

  constructor({ runId, jobName, attributes, startedAtMs, durationMs, delivery }: ObservedJobData) {
    this.runId = bounded(runId, maxId);
    this.jobName = cutName(jobName);
    this.attributes = copyOf(attributes);
    this.startedAtMs = startedAtMs;
    this.durationMs = durationMs;
    this.delivery = delivery && withoutHeaders(delivery);
  }
}

/**
 * Returns a run as it is kept: its context if it has neither attributes nor a delivery, else a bounded copy, which costs more
 * than all the counting. A kept run is returned as it is.
 */
export function keptRun(run: ObservedJobContext | ObservedJobData): ObservedJobData {
  if (run instanceof KeptRun) return run;
  const { jobName, attributes, delivery } = run;
  const isSmall = delivery === undefined && jobName === cutName(jobName) && isEmpty(attributes);
  return isSmall ? run : new KeptRun(run);
}

function isEmpty(attributes: JobAttributes): boolean {
  for (const _key in attributes) return false;
  return true;
}

function copyOf(attributes: JobAttributes): JobAttributes {
  const known = copies.get(attributes);
  if (known !== undefined) return known;
  const copy = cutAttributes(attributes);
  copies.set(attributes, copy);
  return copy;
}

function cutAttributes(attributes: JobAttributes): JobAttributes {
  const kept: [key: string, value: string | number | boolean][] = [];
  let left = maxAttributes;
  for (const [name, given] of Object.entries(attributes)) {
    if (left <= 0) break;
    const key = bounded(name, maxKey);
    const value = typeof given === "string" ? copied(given, Math.min(maxValue, left)) : given;
    kept.push([key, value]);
    left -= key.length + String(value).length;
  }
  return Object.fromEntries(kept);
}

/** Leaves out the headers: those of tracing may be long, and the trace id is kept apart. */
function withoutHeaders(delivery: JobDelivery): JobDelivery {
  const { engine, queue, jobId, attempt, maxAttempts, enqueuedAt, runAt, correlationId } = delivery;
  return {
    engine: bounded(engine, maxId),
    queue: bounded(queue, maxId),
    jobId: bounded(jobId, maxId),
    attempt,
    maxAttempts,
    enqueuedAt,
    runAt,
    correlationId: correlationId === undefined ? undefined : copied(correlationId, maxId),
    carrier: {},
  };
}
