import { type JobDelivery, type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { expect, onTestFinished } from "vitest";

/** Makes a runner that fails the test if an observer fails; a plain runner would only warn. */
export function strictRunner(...observers: JobObserver[]): ObservedJobRunner {
  const errors: unknown[] = [];
  onTestFinished(() => expect(errors).toEqual([]));
  return new ObservedJobRunner(observers, { onObserverError: (error) => errors.push(error) });
}

/** Makes a runner for tests in which an observer should fail. */
export function tolerantRunner(...observers: JobObserver[]): ObservedJobRunner {
  return new ObservedJobRunner(observers, { onObserverError: () => {} });
}

export function deliveryOf(given: Partial<JobDelivery> = {}): JobDelivery {
  return {
    engine: "memory",
    queue: "mail",
    jobId: "job-7",
    attempt: 2,
    maxAttempts: 5,
    enqueuedAt: new Date("2024-05-01T10:00:00Z"),
    runAt: new Date("2024-05-01T10:00:01Z"),
    correlationId: undefined,
    carrier: {},
    ...given,
  };
}

/** Returns what `work` throws or rejects with, in an object: a promise would read the value. Throws if `work` does neither. */
export async function thrownBy(work: () => unknown): Promise<{ readonly value: unknown }> {
  try {
    await work();
  } catch (value) {
    return { value };
  }
  throw new Error("expected it to throw");
}
