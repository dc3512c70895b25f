import { AsyncLocalStorage } from "node:async_hooks";
import { type JobObserver, ObservedJobRunner } from "@nidus/jobs-observe";
import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/backend.ts";
import { defineJob } from "../../src/index.ts";
import { fetched, ScriptedBackend, ScriptedConsumer } from "../support/scripted-backend.ts";

/** An engine that has run one job, with its own work observed. */
async function engineObservedBy(bookkeeper: JobObserver): Promise<{ ran: unknown[]; errors: unknown[] }> {
  const ran: unknown[] = [];
  const errors: unknown[] = [];
  const runner = new ObservedJobRunner({
    onEngineOpened: (engine) => engine.observeBookkeeping(bookkeeper),
  });
  const consumer = new ScriptedConsumer(fetched("a"));
  const engine = createEngine(new ScriptedBackend(consumer), {
    runner,
    onError: (error) => errors.push(error),
  });
  await engine.start();
  const job = defineJob<string>({ name: "send_mail", run: (payload) => void ran.push(payload) });
  const worker = await engine.work({ jobs: [job] });
  await expect.poll(() => consumer.endings).toEqual(["a succeeded"]);
  await engine.stats();
  await worker.stop();
  return { ran, errors };
}

describe("an engine's own work", () => {
  it("is observed by those who asked for it, apart from jobs and from what callers ask for", async () => {
    const names: string[] = [];
    await engineObservedBy({ onJobStarted: ({ jobName }) => void names.push(jobName) });
    expect([...new Set(names)].toSorted()).toEqual(["close", "fetch", "open", "settle", "start", "work"]);
  });

  it("is surrounded by their scopes, which handlers are not", async () => {
    let depth = 0;
    const seen: number[] = [];
    const bookkeeper: JobObserver = {
      runInScope(_context, run) {
        depth++;
        try {
          return run();
        } finally {
          depth--;
        }
      },
      onJobStarted: () => void seen.push(depth),
    };
    const { ran } = await engineObservedBy(bookkeeper);
    expect(new Set(seen)).toEqual(new Set([1]));
    expect(ran).toEqual(["a"]);
  });

  it("can be suppressed for tracers that follow async work, and the runs of jobs are not", async () => {
    const suppressed = new AsyncLocalStorage<boolean>();
    const seen: Record<string, boolean | undefined> = {};
    const job = defineJob({
      name: "send_mail",
      run() {
        seen.run = suppressed.getStore();
      },
    });
    const bookkeeper: JobObserver = {
      runInScope: ({ jobName }, run) => (jobName === "work" ? run() : suppressed.run(true, run)),
    };
    const runner = new ObservedJobRunner({
      onEngineOpened: (engine) => engine.observeBookkeeping(bookkeeper),
    });
    const consumer = new ScriptedConsumer(fetched("a"));
    consumer.onSettle = async () => {
      seen.settle = suppressed.getStore();
      return { isRecorded: true };
    };
    const engine = createEngine(new ScriptedBackend(consumer), { runner });
    const worker = await engine.work({ jobs: [job] });
    await expect.poll(() => seen).toEqual({ run: undefined, settle: true });
    await worker.stop();
  });

  it.each([undefined, null, 5, { onJobStarted: 5 }])(
    "is refused to %o, in the hook that asked",
    async (wrong) => {
      const errors: unknown[] = [];
      const onEngineOpened: JobObserver["onEngineOpened"] = (engine) =>
        engine.observeBookkeeping(wrong as never);
      const runner = new ObservedJobRunner(
        { onEngineOpened },
        { onObserverError: (error) => errors.push(error) },
      );
      const engine = createEngine(new ScriptedBackend(), { runner });
      await engine.stats();
      expect(errors).toEqual([expect.any(TypeError)]);
    },
  );

  it("goes on whatever they throw, which the engine's `onError` hears", async () => {
    const { ran, errors } = await engineObservedBy({
      runInScope() {
        throw new Error("no scope");
      },
    });
    expect(ran).toEqual(["a"]);
    expect(new Set(errors.map(String))).toContain("Error: no scope");
  });
});
