import assert from "node:assert/strict";
import { asyncJob, JobError } from "@nidus/jobs-core";
import {
  type JobDelivery,
  type JobObserver,
  ObservedJobRunner,
  type OpenedEngineContext,
  type SettledJobContext,
} from "@nidus/jobs-observe";
import { tellProgress } from "@nidus/jobs-observe/adapter";
import type { Behaviour } from "./behaviour.ts";
import { hostileTexts } from "./hostile-texts.ts";
import { leavingSharedObjectsAlone } from "./shared-objects.ts";
import { thrownBy } from "./thrown.ts";

const engine = "contract";
const outcomes: readonly SettledJobContext["outcome"][] = [
  "succeeded",
  "retried",
  "snoozed",
  "dead-lettered",
  "cancelled",
  "lost",
  "stalled",
];

/** Carriers as other observers or other versions may have written them, or none. */
const carriers: readonly Readonly<Record<string, string>>[] = [
  {},
  { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b" },
  { traceparent: "not one", tracestate: "", baggage: "=;=" },
  Object.fromEntries(hostileTexts.map((text) => [text, text])),
];

function deliveryOf(attempt: number, carrier: JobDelivery["carrier"]): JobDelivery {
  const enqueuedAt = new Date();
  return {
    engine,
    queue: "contract-queue",
    jobId: crypto.randomUUID(),
    attempt,
    maxAttempts: 3,
    enqueuedAt,
    // In the future, since another machine's clock may be ahead.
    runAt: new Date(enqueuedAt.getTime() + 60_000),
    correlationId: attempt === 1 ? undefined : "order 7",
    carrier,
  };
}

export const engines: Behaviour = (declare) => {
  declare("writes strings to a carrier, and leaves those of others there", async ({ subject }) => {
    const runner = subject.runner();
    await leavingSharedObjectsAlone(async () => {
      for (const jobName of ["enqueued", ...hostileTexts]) {
        const carrier: Record<string, string> = { "x-contract": "kept" };
        const count = jobName === "enqueued" ? 1 : 100;
        runner.enqueued({ jobName, engine, queue: "q", count, correlationId: undefined, carrier });
        for (const [key, value] of Object.entries<unknown>(carrier)) {
          assert.equal(typeof value, "string", `the value of the header "${key}" is no string`);
        }
        assert.equal(carrier["x-contract"], "kept");
      }
    });
    await subject.hasThrownNothing();
  });

  declare("takes objectives and reports of progress, with any name and note", async ({ subject }) => {
    const runner = subject.runner();
    const objectives = { succeedEveryMs: 3_600_000, startWithinMs: 60_000, finishWithinMs: 1 };
    await leavingSharedObjectsAlone(async () => {
      for (const name of ["declared", ...hostileTexts]) {
        runner.declare({ name }, { name, objectives: {} }, { name, objectives, engine, queue: "q" });
      }
    });
    await runner.runAsync(
      asyncJob("progressing", () => {}),
      {
        onContext(context) {
          for (const note of [undefined, ...hostileTexts]) tellProgress(context, { fraction: 0.5, note });
        },
      },
    );
    await subject.hasThrownNothing();
  });

  declare("takes every attempt of a delivery, with any carrier", async ({ subject }) => {
    const runner = subject.runner();
    for (const carrier of carriers) {
      for (const attempt of [1, 2, 3]) {
        const delivered = asyncJob("delivered", async () => {
          if (attempt < 3) throw new Error("again");
        });
        const running = runner.runAsync(delivered, { delivery: deliveryOf(attempt, carrier) });
        if (attempt < 3) await thrownBy(() => running);
        else await running;
      }
    }
    await subject.hasThrownNothing();
  });

  declare("takes every outcome of a delivery, even of one whose run it has not seen", async ({ subject }) => {
    const runner = subject.runner();
    for (const outcome of outcomes) {
      const delivery = deliveryOf(1, {});
      const error = outcome === "succeeded" ? undefined : JobError.from(undefined);
      await runner.runAsync(
        asyncJob("delivered", () => {}),
        { delivery },
      );
      runner.settled({ jobName: "delivered", delivery, outcome, error });
      runner.settled({ jobName: "elsewhere", delivery: deliveryOf(3, {}), outcome, error: undefined });
    }
    await subject.hasThrownNothing();
  });

  declare("takes engines that open, whether their backlog can be read or not", async ({ subject }) => {
    const runner = subject.runner();
    const bookkeepers: JobObserver[] = [];
    const observeBookkeeping = (observer: JobObserver): void => void bookkeepers.push(observer);
    const backlogs: OpenedEngineContext["backlog"][] = [
      async () => [{ jobName: "a", waiting: 0, oldestWaitingAt: undefined }],
      async () => undefined,
      () => Promise.reject(new Error("the server is unreachable")),
    ];
    for (const backlog of backlogs) runner.opened({ engine, backlog, observeBookkeeping });
    await subject.hasThrownNothing();
    // An observer that asks for internal runs hears of the engine's own work as of any other run.
    const errors: unknown[] = [];
    const bookkeeping = new ObservedJobRunner(bookkeepers, {
      onObserverError: (error) => errors.push(error),
    });
    assert.equal(await bookkeeping.runAsync(asyncJob("fetch", async () => 7)), 7);
    assert.deepEqual(errors, []);
  });
};
