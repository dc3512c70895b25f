import { type AsyncJob, AsyncJobQueue } from "@nidus/jobs-core";
import type { JobDelivery, ObservedJobRunner } from "@nidus/jobs-observe";
import * as v from "valibot";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import {
  type AnyDurableJob,
  type DurableJob,
  defineJob,
  type EnqueuedJob,
  type JobEngine,
  type JobWorker,
  memoryEngine,
  PermanentJobError,
} from "../../src/index.ts";

declare const engine: JobEngine;
declare const runner: ObservedJobRunner;

// Payload types follow from a schema: what is stored is its input, what runs gets is its output.
const remind = defineJob({
  name: "remind",
  schema: z.object({
    at: z.iso.datetime().transform((text) => new Date(text)),
    copies: z.number().default(1),
  }),
  run({ at, copies }, { signal, delivery }) {
    expectTypeOf(at).toEqualTypeOf<Date>();
    expectTypeOf(copies).toEqualTypeOf<number>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(delivery).toEqualTypeOf<JobDelivery | undefined>();
  },
});
expectTypeOf(remind).toEqualTypeOf<
  DurableJob<{ at: string; copies?: number | undefined }, { at: Date; copies: number }>
>();
expectTypeOf(
  defineJob({ name: "a", schema: v.pipe(v.string(), v.transform(Number)), run: (n) => n.toFixed() }),
).toEqualTypeOf<DurableJob<string, number>>();

// Without one they are given, or follow from the handler's parameter; or there is none.
const sendMail = defineJob<{ to: string }>({
  name: "send_mail",
  run: ({ to }) => void expectTypeOf(to).toEqualTypeOf<string>(),
});
expectTypeOf(sendMail).toEqualTypeOf<DurableJob<{ to: string }, { to: string }>>();
expectTypeOf(defineJob({ name: "a", run(_payload: number[]) {} })).toEqualTypeOf<DurableJob<number[]>>();
const cleanUp = defineJob({ name: "clean_up", async run() {} });
expectTypeOf(cleanUp).toEqualTypeOf<DurableJob<void>>();
interface Invoice {
  readonly number: number;
}
expectTypeOf(defineJob<Invoice>({ name: "a", run() {} })).toEqualTypeOf<DurableJob<Invoice>>();

// Every option takes undefined.
defineJob<string>({
  name: "a",
  schema: undefined,
  maxAttempts: undefined,
  backoff: undefined,
  timeoutMs: undefined,
  run() {},
});
memoryEngine({
  runner,
  onError: undefined,
  answerWithinMs: undefined,
  retainSucceededMs: undefined,
  retainDeadLettersMs: undefined,
});
engine.enqueue(cleanUp, undefined, {
  runAt: undefined,
  idempotencyKey: undefined,
  correlationId: undefined,
  maxAttempts: undefined,
});
engine.schedule(cleanUp, "* * * * *", undefined, { timeZone: undefined, key: undefined });
engine.deadLetters({ limit: undefined });
engine.work({ jobs: [cleanUp], concurrency: undefined });
declare const worker: JobWorker;
worker.stop({ graceMs: undefined, abortMs: undefined });

// Payloads are checked against the job, never the other way round.
expectTypeOf(engine.enqueue(sendMail, { to: "ann" })).toEqualTypeOf<Promise<EnqueuedJob>>();
engine.enqueue(remind, { at: "2024-01-01T00:00:00Z" });
engine.enqueueMany(remind, [{ at: "2024-01-01T00:00:00Z", copies: 2 }]);
engine.enqueueMany(sendMail, [{ to: "ann" }, { to: "bob" }] as const);
// @ts-expect-error a payload of another job
engine.enqueue(sendMail, { subject: "hello" });
// @ts-expect-error a property that is not there
engine.enqueue(sendMail, { to: "ann", cc: "bob" });
// @ts-expect-error the schema's output instead of its input, which is stored
engine.enqueue(remind, { at: new Date(), copies: 1 });
// @ts-expect-error no payload
engine.enqueue(sendMail);
// @ts-expect-error a payload for a job without one
engine.enqueue(cleanUp, { to: "ann" });
engine.enqueue(cleanUp);
engine.schedule(cleanUp, "0 3 * * *");
engine.enqueue(defineJob<{ to: string } | undefined>({ name: "a", run() {} }));
engine.enqueue(defineJob<{ to: string } | undefined>({ name: "a", run() {} }), { to: "ann" });
// @ts-expect-error no payload
engine.schedule(sendMail, "0 3 * * *");
// @ts-expect-error a payload of which every part may be left out is a payload all the same
engine.enqueue(defineJob<{ to?: string }>({ name: "a", run() {} }));
// @ts-expect-error one of the payloads does not fit
engine.enqueueMany(sendMail, [{ to: "ann" }, { to: 7 }]);
// @ts-expect-error an option that is not there
engine.enqueue(cleanUp, undefined, { delayMs: 5 });
// @ts-expect-error moments are Dates
engine.enqueue(cleanUp, undefined, { runAt: 5 });

// A definition within the call has its payload inferred as well.
engine.enqueue(defineJob({ name: "a", run() {} }), undefined);
engine.enqueue(defineJob<{ to: string }>({ name: "a", run() {} }), { to: "ann" });
engine.enqueueMany(defineJob({ name: "a", run(_payload: string) {} }), ["a", "b"]);
// @ts-expect-error a payload that does not fit
engine.enqueue(defineJob({ name: "a", run(_payload: string) {} }), 7);

// Jobs of different payloads work side by side.
const jobs: AnyDurableJob[] = [remind, sendMail, cleanUp];
engine.work({ jobs });
engine.work({ jobs: [remind, sendMail, cleanUp] as const, concurrency: 10 });
engine.unschedule(remind);
engine.unschedule(remind, { key: "a" });
engine.unschedule("remind", { key: undefined });
// @ts-expect-error the key stands in an object
engine.unschedule(remind, "a");
// @ts-expect-error a job of jobs-core has no stored payload
engine.work({ jobs: [{ name: "a", run() {} }] });

// In a queue as well.
expectTypeOf(sendMail.with({ to: "ann" })).toEqualTypeOf<AsyncJob<unknown>>();
new AsyncJobQueue().push(cleanUp.with(), remind.with({ at: "2024-01-01T00:00:00Z" }));
// @ts-expect-error a payload that does not fit
sendMail.with({ to: 7 });

// @ts-expect-error a schema's output and the handler's parameter must agree
defineJob({ name: "a", schema: z.string(), run(_payload: number) {} });
// @ts-expect-error a job has a name
defineJob({ run() {} });
// @ts-expect-error definitions have no other options
defineJob({ name: "a", retries: 3, run() {} });
// @ts-expect-error a job does not change
sendMail.name = "other";

declare const caught: unknown;
if (PermanentJobError.isInstance(caught)) expectTypeOf(caught).toEqualTypeOf<PermanentJobError>();

// The options of an enqueue: a function cannot be stored, and attributes are plain values.
defineJob({ name: "a", priority: 3, backoff: (attempt, error) => attempt * error.message.length, run() {} });
defineJob({ name: "a", backoff: { fixedMs: 5 }, run() {} });
// @ts-expect-error one or the other
defineJob({ name: "a", backoff: { fixedMs: 5, baseMs: 5, maxMs: 5 }, run() {} });
void engine.enqueue(remind, { at: "" }, { uniqueKey: "a", uniqueForMs: 5, priority: 1, retainMs: 0 });
void engine.enqueue(remind, { at: "" }, { attributes: { a: "b", c: 1, d: true }, backoff: { fixedMs: 1 } });
// @ts-expect-error a function is no data
void engine.enqueue(remind, { at: "" }, { backoff: () => 5 });
// @ts-expect-error an object is no attribute
void engine.enqueue(remind, { at: "" }, { attributes: { a: {} } });
// @ts-expect-error that is an option of another engine
void engine.enqueue(remind, { at: "" }, { bullmq: { lifo: true } });
