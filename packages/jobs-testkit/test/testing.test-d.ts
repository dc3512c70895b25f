import type { JobError } from "@nidus/jobs-core";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { expectTypeOf } from "vitest";
import {
  expectJobRun,
  type FakeClock,
  fakeClock,
  type JobRecorder,
  type JobRunExpectation,
  recordingObserver,
  sequentialRunIds,
  type TestObservability,
  testing,
} from "../src/index.ts";

// A recorder is an observer, and shows runs as data that cannot be written.
const recorder = recordingObserver();
expectTypeOf(recorder).toEqualTypeOf<JobRecorder>();
expectTypeOf(recorder).toExtend<JobObserver>();
for (const run of recorder.runs) {
  expectTypeOf(run.status).toEqualTypeOf<"running" | "success" | "failure" | "cancelled">();
  expectTypeOf(run.error).toEqualTypeOf<JobError | undefined>();
  expectTypeOf(run.durationMs).toEqualTypeOf<number | undefined>();
  // @ts-expect-error what has run cannot be changed
  run.status = "success";
}
// @ts-expect-error nor taken away one by one
recorder.runs.pop();

// Expectations chain, and take a pattern, a part of the message or any class.
abstract class Failure extends Error {}
expectTypeOf(expectJobRun(recorder, "a").toHaveSucceeded()).toEqualTypeOf<JobRunExpectation>();
expectJobRun(recorder, "a").withAttributes({ tenant: "a", size: 3, isNew: true }).toHaveFailed(/full/);
expectJobRun(recorder, "a").toHaveFailed("full").toHaveFailed(RangeError).toHaveFailed(Failure);
expectJobRun({ runs: recorder.runs }, "a").toHaveBeenCancelled().toHaveRun(1);
// @ts-expect-error a job has a name
expectJobRun(recorder);
// @ts-expect-error an error that was thrown is no expectation
expectJobRun(recorder, "a").toHaveFailed(new Error("full"));
// @ts-expect-error attributes are strings, numbers and booleans
expectJobRun(recorder, "a").withAttributes({ tenant: undefined });
// @ts-expect-error there is no "not": `toHaveRun(0)` says that nothing has run
expectJobRun(recorder, "a").not;

expectTypeOf(fakeClock).returns.toEqualTypeOf<FakeClock>();
expectTypeOf<FakeClock>().toExtend<Disposable>();
fakeClock(undefined);
// @ts-expect-error Unix time in milliseconds
fakeClock(new Date());
// @ts-expect-error it is moved by `advance`
fakeClock().nowMs = 0;

new ObservedJobRunner().runIdGenerator(sequentialRunIds("digest"));
sequentialRunIds(undefined);

expectTypeOf(testing("users-api")).toEqualTypeOf<TestObservability>();
expectTypeOf<TestObservability>().toExtend<AsyncDisposable>();
expectTypeOf<TestObservability["recorder"]>().toEqualTypeOf<JobRecorder>();
// @ts-expect-error a service has a name
testing();
