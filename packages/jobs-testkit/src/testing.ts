import { requireText } from "@nidus/jobs-core/adapter";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { type JobRecorder, recordingObserver } from "./recording-observer.ts";
import { sequentialRunIds } from "./sequential-run-ids.ts";

/** What stands in for a service's observability in tests. */
export interface TestObservability extends AsyncDisposable {
  /** What the runners of this service did. */
  readonly recorder: JobRecorder;
  /** A runner whose runs are recorded. Run ids count on over all runners of this service. */
  jobRunner(): ObservedJobRunner;
  /** The recorder as an observer, for a runner of one's own. */
  jobObserver(): JobObserver;
  /** Does nothing: nothing is buffered. */
  forceFlush(): Promise<void>;
  /** Does nothing: what was recorded stays, and jobs can still run. */
  shutdown(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Observability for tests, in the place of that of `@nidus/observability`: runs are recorded, nothing is sent or printed, and
 * run ids are the service's name with a number: "users-api-1", "users-api-2" and so on.
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
