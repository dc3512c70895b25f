import assert from "node:assert/strict";
import type { StoredJobProgress } from "@nidus/jobs-durable";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

/** Whether the engine keeps progress, and shows it. */
function isShown({ capabilities }: JobEngine): boolean {
  return capabilities.progress && capabilities.listing;
}

/** Resolves to the stored progress, as plain data. */
async function progressOf(engine: JobEngine, id: string): Promise<StoredJobProgress | undefined> {
  const progress = (await engine.job(id))?.progress;
  return progress && (JSON.parse(JSON.stringify(progress)) as StoredJobProgress);
}

export const progress: Behaviour<Kit> = (declare) => {
  declare("is told to observers, and seen in any process while the job runs", async (kit) => {
    const { engine, recorder } = await kit.open();
    const { engine: elsewhere } = engine.capabilities.persistence ? await kit.open() : { engine };
    const half = deferred();
    const end = deferred();
    const job = defineJob({
      name: kit.name("progress"),
      async run(_, { progress: report }) {
        report(0.25, "a quarter");
        await half.promise;
        report(0.5);
        await end.promise;
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    if (isShown(engine)) {
      await eventually(async () =>
        assert.deepEqual(await progressOf(elsewhere, id), { fraction: 0.25, note: "a quarter" }),
      );
    }
    half.resolve();
    if (isShown(engine)) {
      await eventually(async () => assert.deepEqual(await progressOf(elsewhere, id), { fraction: 0.5 }));
    }
    end.resolve();
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    assert.deepEqual(
      recorder.progressed.map(({ fraction, note }) => [fraction, note]),
      [
        [0.25, "a quarter"],
        [0.5, undefined],
      ],
    );
    assert.equal(new Set(recorder.progressed.map(({ runId }) => runId)).size, 1);
  });

  declare("is that of the last report when the job has ended, however many there were", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!isShown(engine)) return;
    const job = defineJob<boolean>({
      name: kit.name("last"),
      maxAttempts: 1,
      run(succeeds, { progress: report }) {
        for (let step = 0; step <= 500; step++) report(step / 1_000, `step ${step}`);
        if (!succeeds) throw new Error("no");
      },
    });
    const enqueued = await engine.enqueueMany(job, [true, false]);
    await engine.work({ jobs: [job], concurrency: 2 });
    await eventually(() => assert.equal(recorder.outcomesOf(job.name).length, 2));
    for (const { id } of enqueued) {
      assert.deepEqual(await progressOf(engine, id), { fraction: 0.5, note: "step 500" });
    }
  });

  declare("outlives a retry, and is that of the later attempt from its first report on", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!isShown(engine)) return;
    const second = deferred();
    const end = deferred();
    const job = defineJob({
      name: kit.name("attempts"),
      backoff: { baseMs: 1, maxMs: 1 },
      async run(_, { progress: report, delivery }) {
        if (delivery?.attempt === 1) {
          report(0.75);
          throw new Error("once");
        }
        second.resolve();
        await end.promise;
        report(0.1);
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await second.promise;
    assert.deepEqual(await progressOf(engine, id), { fraction: 0.75 });
    end.resolve();
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "succeeded"]));
    assert.deepEqual(await progressOf(engine, id), { fraction: 0.1 });
  });

  declare("refuses wrong reports at the call", async (kit) => {
    const { engine, recorder } = await kit.open();
    const wrong: readonly (readonly [fraction: unknown, note?: unknown])[] = [
      [Number.NaN],
      [-0.01],
      [1.01],
      [Infinity],
      ["0.5"],
      [undefined],
      [0.5, 7],
      [0.5, ""],
      [0.5, "x".repeat(1_001)],
      [0.5, "a\u0000b"],
      [0.5, "\ud83d"],
    ];
    const errors: unknown[] = [];
    const job = defineJob({
      name: kit.name("wrong"),
      run(_, context) {
        for (const [fraction, note] of wrong) {
          try {
            ({ ...context }).progress(fraction as number, note as string);
          } catch (error) {
            errors.push(error);
          }
        }
        context.progress(0);
        context.progress(1, "x".repeat(1_000));
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    assert.equal(errors.length, wrong.length);
    for (const error of errors) assert.ok(error instanceof TypeError || error instanceof RangeError);
    assert.deepEqual(
      recorder.progressed.map(({ fraction }) => fraction),
      [0, 1],
    );
  });
};
