import { type AsyncJob, asyncJob, type Job, job } from "@nidus/jobs-core";
import { expectTypeOf } from "vitest";
import { type JobObserver, type ObservedJobContext, ObservedJobRunner } from "../../src/index.ts";
import {
  type JobEventReceiver,
  jobObserverChannel,
  type ObservedJobEvent,
} from "../../src/observers/channel.ts";

const runner = new ObservedJobRunner();
declare const context: ObservedJobContext;
// biome-ignore lint/suspicious/noExplicitAny: it must be accepted where users have it
declare const anything: Job<any>;

expectTypeOf(runner.run(job("x", () => 1))).toEqualTypeOf<number>();
expectTypeOf(runner.run({ name: "x", run: () => "text" })).toEqualTypeOf<string>();
expectTypeOf(runner.run(anything)).toBeAny();
expectTypeOf(runner.runAsync(asyncJob("x", async () => 1))).toEqualTypeOf<Promise<number>>();
expectTypeOf(
  runner.runAsync(
    job("x", () => 1),
    { signal: undefined, delivery: undefined },
  ),
).toEqualTypeOf<Promise<number>>();
expectTypeOf(runner.context("a", 1).context({ b: true })).toEqualTypeOf<ObservedJobRunner>();
expectTypeOf(jobObserverChannel({ capacity: undefined, overflow: undefined })).toEqualTypeOf<
  [observer: JobObserver, receiver: JobEventReceiver]
>();
expectTypeOf<AsyncJob<number>>().toExtend<Parameters<typeof runner.runAsync<number>>[0]>();

// @ts-expect-error a literal that is async
runner.run({ name: "x", async run() {} });
// @ts-expect-error an async job
runner.run(asyncJob("x", async () => {}));
// @ts-expect-error a value that is no attribute
runner.context("key", {});
// @ts-expect-error contexts are read-only
context.runId = "other";
// @ts-expect-error attributes are read-only
context.attributes.key = "other";

declare const event: ObservedJobEvent;
if (event.type === "finished")
  expectTypeOf(event.status).toEqualTypeOf<"success" | "failure" | "cancelled">();
// @ts-expect-error a start has no status
else event.status;
