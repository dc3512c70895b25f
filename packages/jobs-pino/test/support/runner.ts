import { type JobDelivery, type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { expect, onTestFinished } from "vitest";

/** Makes a runner that fails the test if an observer fails; a plain runner would only warn. Its runs are run-1, run-2 and so on. */
export function strictRunner(...observers: JobObserver[]): ObservedJobRunner {
  const errors: unknown[] = [];
  let idsMade = 0;
  onTestFinished(() => expect(errors).toEqual([]));
  const runner = new ObservedJobRunner(observers, { onObserverError: (error) => errors.push(error) });
  return runner.runIdGenerator(() => `run-${++idsMade}`);
}

export const delivery: JobDelivery = {
  engine: "memory",
  queue: "mail",
  jobId: "job-7",
  attempt: 2,
  maxAttempts: 5,
  enqueuedAt: new Date("2024-05-01T10:00:00Z"),
  runAt: new Date("2024-05-01T10:00:01Z"),
  correlationId: "order 7",
  carrier: {},
};

/** The fields that describe the delivery. */
export const deliveryFields = {
  engine: "memory",
  queue: "mail",
  job_id: "job-7",
  attempt: 2,
  max_attempts: 5,
  correlation_id: "order 7",
};

/** Runs what is ready to run: promise callbacks first, then one turn of the event loop. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
