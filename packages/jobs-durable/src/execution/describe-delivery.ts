import type { JobDelivery } from "@nidus/jobs-observe";
import { carrierFrom } from "../backend/carrier.ts";
import type { LeasedJob } from "../backend/job-backend.ts";
import { validDate } from "../backend/valid-date.ts";

const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

/** Describes a delivery to observers and handlers. Other programs write to stores, too: dates are valid, and numbers whole. */
export function describeDelivery(job: LeasedJob, engine: string, queue: string): JobDelivery {
  const { carrier = noHeaders, correlationId, payloadBytes } = job.envelope;
  const enqueuedAt = validDate(job.enqueuedAt) ?? validDate(job.runAt) ?? new Date();
  return Object.freeze({
    engine,
    queue,
    jobId: job.id,
    attempt: wholeNumber(job.attempt),
    maxAttempts: wholeNumber(job.maxAttempts),
    enqueuedAt,
    runAt: validDate(job.runAt) ?? enqueuedAt,
    correlationId,
    payloadBytes,
    carrier: Object.freeze(carrier),
    previousCarrier: Object.freeze(carrierFrom(job.previousCarrier)),
    nextCarrier: {},
  });
}

function wholeNumber(value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : 1;
}
