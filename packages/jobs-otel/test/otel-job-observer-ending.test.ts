import { AsyncJobQueue, asyncJob, job } from "@nidus/jobs-core";
import type { ObservedJobContext } from "@nidus/jobs-observe";
import { context } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { otelJobObserver } from "../src/index.ts";
import { collected } from "./support/garbage.ts";
import { registerContextManager, resetGlobalApi } from "./support/global-api.ts";
import { recordSpans } from "./support/recorded-spans.ts";
import { strictRunner, thrownBy } from "./support/runner.ts";

beforeEach(registerContextManager);
afterEach(resetGlobalApi);

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("every span ends", () => {
  test.each<[string, (signal: AbortSignal) => unknown]>([
    ["resolves", async () => "done"],
    ["returns at once", () => "done"],
    [
      "throws synchronously",
      () => {
        throw new Error("no");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no"))],
    [
      "is cancelled",
      (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ],
  ])("of an async job that %s", async (_case, run) => {
    const { tracer, spans } = recordSpans();
    const controller = new AbortController();
    const runner = strictRunner(otelJobObserver({ tracer }));

    const running = runner.runAsync(asyncJob("digest", run), { signal: controller.signal });
    setImmediate(() => controller.abort());
    await running.catch(() => {});

    expect(spans.all("job.run")).toHaveLength(1);
    expect(spans.openCount).toBe(0);
  });

  test.each<[string, () => unknown]>([
    ["returns", () => 1],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["returns a promise, which is a failure", () => Promise.resolve(1)],
  ])("of a sync job that %s", async (_case, run) => {
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));

    try {
      runner.run({ name: "reindex", run });
    } catch {
      // This test does not concern what the job threw.
    }

    expect(spans.all("job.run")).toHaveLength(1);
    expect(spans.openCount).toBe(0);
  });

  test("also without a context manager, and the job is unaffected", async () => {
    context.disable();
    const { tracer, spans } = recordSpans();
    const runner = strictRunner(otelJobObserver({ tracer }));
    const failure = new Error("no");

    expect(await runner.runAsync(asyncJob("digest", async () => "sent"))).toBe("sent");
    expect(
      (await thrownBy(() => runner.runAsync(asyncJob("digest", () => Promise.reject(failure))))).value,
    ).toBe(failure);

    expect(spans.all("job.run")).toHaveLength(2);
    expect(spans.openCount).toBe(0);
  });

  test("of a queue that is aborted halfway", async () => {
    const { tracer, spans } = recordSpans();
    const controller = new AbortController();
    const queue = new AsyncJobQueue();
    for (let index = 0; index < 20; index++) {
      queue.push(
        asyncJob("digest", async (signal) => {
          await nextTurn();
          if (index === 7) controller.abort();
          signal.throwIfAborted();
        }),
      );
    }

    const report = await queue.runAll({
      runner: strictRunner(otelJobObserver({ tracer })),
      concurrency: 3,
      signal: controller.signal,
    });

    expect(spans.finished).toHaveLength(20 - report.notStarted.length);
    expect(spans.openCount).toBe(0);
  });

  test("and no finished run is kept", async () => {
    const { tracer } = recordSpans();
    const runs: WeakRef<ObservedJobContext>[] = [];
    const runner = strictRunner(otelJobObserver({ tracer }), {
      onJobStarted: (run) => void runs.push(new WeakRef(run)),
    });

    for (let count = 0; count < 200; count++) runner.run(job("reindex", () => {}));

    expect(await collected(runs)).toBeGreaterThan(190);
  });
});
