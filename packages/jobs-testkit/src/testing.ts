import { requireText } from "@nidus/jobs-core/adapter";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "./recording-observer.ts";
import { sequentialRunIds } from "./sequential-run-ids.ts";

/** Stands in for a service's observability in tests. */
export interface TestObservability extends AsyncDisposable {
  /** The recorder of all runners of this service. */
  readonly recorder: JobRecorder;
  /** Makes a runner whose runs are recorded. Run ids count on over all runners of this service. */
  jobRunner(): ObservedJobRunner;
  /** Returns the recorder as an observer, for a runner that you make. */
  jobObserver(): JobObserver;
  /** Does nothing, since nothing is buffered. */
  forceFlush(): Promise<void>;
  /** Does nothing: the recorder keeps its runs, and jobs can still run. */
  shutdown(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an observability for tests, which takes the place of `@nidus/observability`. It records runs, and sends and prints nothing.
 * Run ids are the service's name with a number: "users-api-1", "users-api-2" and so on.
 *
 * @throws TypeError if the service's name is not a non-empty string.
 */
export function testing(serviceName: string): TestObservability {
  requireText("the service's name", serviceName);
  const recorder = recordingObserver();
  const runIds = sequentialRunIds(serviceName);
  return {
    recorder,
    jobRunner: () => new ObservedJobRunner(recorder).runIdGenerator(runIds),
    jobObserver: () => recorder,
    async forceFlush() {},
    async shutdown() {},
    async [Symbol.asyncDispose]() {},
  };
}
