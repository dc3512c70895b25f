export { expectJobRun, type JobRunExpectation } from "./expect-job-run.ts";
export type { ExpectedFailure } from "./expected-failure.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export { type JobRecorder, type RecordedRun, recordingObserver } from "./recording-observer.ts";
export { sequentialRunIds } from "./sequential-run-ids.ts";
export { type TestObservability, testing } from "./testing.ts";

// For authors of observers and engines.

export type { DeclareTest } from "./declare-test.ts";
export { type EngineContractOptions, engineContract } from "./engine/engine-contract.ts";
export type { CreateEngine, EngineUnderTestOptions } from "./engine/kit.ts";
export { type ObserverContractOptions, observerContract } from "./observer/observer-contract.ts";
export type { CreateObserver, ObserverUnderTest } from "./observer/subject.ts";
