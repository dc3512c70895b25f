import { expectTypeOf } from "vitest";
import {
  type AsyncJob,
  AsyncJobQueue,
  asyncJob,
  type Job,
  JobQueue,
  type JobReport,
  job,
} from "../../src/index.ts";

class Plain implements Job {
  readonly name = "plain";
  run(): void {}
}
class WithResult implements Job<number> {
  readonly name = "with-result";
  run(): number {
    return 1;
  }
}
// TypeScript lets a class that implements Job return a promise; queues refuse its instances all the same.
class Forgetful implements Job {
  readonly name = "forgetful";
  async run(): Promise<void> {}
}
// biome-ignore lint/suspicious/noExplicitAny: users have `any`, which must be accepted
declare const anything: Job<any>;
declare const unknowns: Job<unknown>[];
declare const maybe: Job<number | Promise<number>>;

const queue = new JobQueue();
queue.push();
queue.push(new Plain(), new WithResult(), { name: "literal", run: () => "text" }, anything);
queue.push(...unknowns);
queue.push(...[new Plain(), new WithResult()]);
queue.pushAll(unknowns);
queue.pushAll(new Set([new Plain()]));
queue.pushAll([new Plain(), new WithResult(), { name: "literal", run: () => "text" }, anything]);
queue.pushAll([]);

// @ts-expect-error a literal that is async
queue.push({ name: "x", async run() {} });
// @ts-expect-error an async one among others
queue.push(new Plain(), { name: "x", async run() {} });
// @ts-expect-error an instance of a class that is async
queue.push(new Forgetful());
// @ts-expect-error an async job
queue.push(asyncJob("x", async () => {}));
// @ts-expect-error one that may return a promise
queue.push(maybe);
// @ts-expect-error async jobs in an array
queue.pushAll([{ name: "x", async run() {} }]);
// @ts-expect-error an instance of an async class among others
queue.pushAll([new Plain(), new Forgetful()]);
// @ts-expect-error an async function
job("x", async () => {});
// @ts-expect-error no name
queue.push({ run() {} });

const asyncQueue = new AsyncJobQueue();
asyncQueue.push(
  new Plain(),
  new Forgetful(),
  asyncJob("x", async (signal) => signal.aborted),
  maybe,
);
asyncQueue.pushAll(unknowns);

expectTypeOf(job("x", () => 1)).toEqualTypeOf<Job<number>>();
expectTypeOf(job("x", () => {})).toEqualTypeOf<Job<void>>();
expectTypeOf(asyncJob("x", async () => 1)).toEqualTypeOf<AsyncJob<number>>();
expectTypeOf(asyncJob("x", () => 1)).toEqualTypeOf<AsyncJob<number>>();
expectTypeOf<Job<number>>().toExtend<AsyncJob<number>>();
expectTypeOf(queue.runAll()).toEqualTypeOf<JobReport>();
expectTypeOf(
  asyncQueue.drain({ concurrency: undefined, signal: undefined, runner: undefined }),
).toEqualTypeOf<Promise<JobReport>>();
// @ts-expect-error reports are read-only
queue.runAll().completed.push("x");
