import type { StoredJob } from "@nidus/jobs-durable";
import {
  attemptErrorsFrom,
  envelopeFrom,
  envelopeHeadFrom,
  storedProgressFrom,
} from "@nidus/jobs-durable/backend";
import { countOf, type StoredFields, timeOf } from "../bullmq-internals/index.ts";

/** Makes a stored job of the fields that Redis has. */
export function storedJobFrom(jobName: string, fields: StoredFields, withPayload: boolean): StoredJob {
  const { id, state, data, tail, made, stalled, processedOn, finishedOn } = fields;
  const {
    payload,
    correlationId,
    attributes = {},
  } = tail === undefined ? envelopeFrom(data) : envelopeHeadFrom(data);
  const opts = parse(fields.opts) as {
    readonly attempts?: unknown;
    readonly prevMillis?: unknown;
    readonly priority?: unknown;
  };
  const maxAttempts = countOf(opts.attempts) || 1;
  const isAttemptOpen = state === "running" || fields.cancelledAt?.includes(".") === true;
  const attempt = countOf(Number(made)) + countOf(Number(stalled)) + (isAttemptOpen ? 1 : 0);
  const hasEnded = state === "succeeded" || state === "dead-lettered";
  const endedAt = state === "cancelled" ? fields.cancelledAt : hasEnded ? finishedOn : null;
  const enqueuedAtMs = timeOf(numberFrom(fields.timestamp));
  return {
    id,
    jobName,
    state,
    attempt: Math.min(attempt, maxAttempts),
    maxAttempts,
    enqueuedAt: new Date(enqueuedAtMs),
    runAt: new Date(
      timeOf(numberFrom(fields.runAt), runAtMsFrom(tail ?? data), opts.prevMillis, enqueuedAtMs),
    ),
    startedAt: attempt > 0 ? dateFrom(processedOn) : undefined,
    finishedAt: dateFrom(endedAt),
    // Other programs have any priority.
    priority: Math.min(countOf(opts.priority), 9),
    correlationId,
    attributes,
    progress: storedProgressFrom(fields.progress),
    errors: attemptErrorsFrom(fields.errors),
    ...(withPayload && { payload }),
  };
}

/** Reads when a job can start from the end of its data (see `StoredData`). */
function runAtMsFrom(text: string): number | undefined {
  return numberFrom(/"runAtMs":(\d+)(?:,"nonce":"[\da-f-]+")?}$/.exec(text)?.[1]);
}

function dateFrom(text: string | null): Date | undefined {
  const ms = numberFrom(text);
  return ms === undefined ? undefined : new Date(timeOf(ms));
}

function numberFrom(text: string | null | undefined): number | undefined {
  return text ? Math.floor(Number(text)) : undefined;
}

function parse(text: string | null): object {
  try {
    return Object(JSON.parse(text ?? "null")) as object;
  } catch {
    return {};
  }
}
