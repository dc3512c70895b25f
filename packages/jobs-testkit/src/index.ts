export { expectJobRun, type JobRunExpectation } from "./expect-job-run.ts";
export type { ExpectedFailure } from "./expected-failure.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export {
  type JobRecorder,
  type RecordedProgress,
  type RecordedRun,
  recordingObserver,
} from "./recording-observer.ts";
export { sequentialRunIds } from "./sequential-run-ids.ts";
export { type TestObservability, testing } from "./testing.ts";
