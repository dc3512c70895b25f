import assert from "node:assert/strict";
import { defineJob, type JobHandlerContext, UnsupportedError } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const quick = { baseMs: 1, maxMs: 1 };

export const snoozing: Behaviour<Kit> = (declare) => {
  declare("runs a job again later, without an attempt spent, or says that it cannot", async (kit) => {
    const { engine, recorder } = await kit.open();
    const startedMs: number[] = [];
    const job = defineJob({
      name: kit.name("snooze"),
      maxAttempts: 1,
      run(_, { delivery, snooze }) {
        startedMs.push(Date.now());
        assert.equal(delivery?.attempt, 1);
        if (startedMs.length < 3) snooze(400);
      },
    });
    await engine.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    if (!engine.capabilities.snoozing) {
      await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["dead-lettered"]));
      assert.ok(UnsupportedError.isInstance(recorder.settled[0]?.error?.cause));
      return;
    }
    await eventually(() =>
      assert.deepEqual(recorder.outcomesOf(job.name), ["snoozed", "snoozed", "succeeded"]),
    );
    const [first = 0, second = 0, third = 0] = startedMs;
    // Clocks round.
    assert.ok(second - first >= 395, `it ran again after ${second - first} ms of 400`);
    assert.ok(third - second >= 395, `it ran again after ${third - second} ms of 400`);
    assert.deepEqual(
      recorder.runs.map(({ status }) => status),
      ["cancelled", "cancelled", "success"],
    );
    const { snoozed, succeeded, retried, deadLettered } = await worker.stop();
    assert.deepEqual(
      { snoozed, succeeded, retried, deadLettered },
      { snoozed: 2, succeeded: 1, retried: 0, deadLettered: 0 },
    );
  });

  declare("lets the end of the handler decide, if the handler catches the snooze", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.snoozing) return;
    const catches: Readonly<Record<string, (error: unknown) => unknown>> = {
      returns: () => "done",
      wraps: (cause) => {
        throw new Error("not ready", { cause });
      },
      fails: () => {
        throw new Error("another error");
      },
    };
    const job = defineJob<string>({
      name: kit.name("caught"),
      maxAttempts: 1,
      run(how, { snooze }) {
        try {
          return snooze(3_600_000);
        } catch (error) {
          return catches[how]?.(error);
        }
      },
    });
    await engine.work({ jobs: [job] });
    const outcomes: unknown[] = [];
    for (const how of Object.keys(catches)) {
      await engine.enqueue(job, how);
      await eventually(() => assert.equal(recorder.settled.length, outcomes.length + 1));
      outcomes.push(recorder.settled.at(-1)?.outcome);
    }
    assert.deepEqual(outcomes, ["succeeded", "snoozed", "dead-lettered"]);
    assert.deepEqual(
      recorder.runs.map(({ status }) => status),
      ["success", "cancelled", "failure"],
    );
  });

  declare("cancels a job that was cancelled, here or elsewhere, and then snoozes", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.snoozing) return;
    const elsewhere = engine.capabilities.persistence ? (await kit.open()).engine : engine;
    for (const canceller of [engine, elsewhere]) {
      const started = deferred<JobHandlerContext>();
      const end = deferred();
      const job = defineJob({
        name: kit.name("cancelled"),
        async run(_, context) {
          started.resolve(context);
          await end.promise;
          context.snooze(0);
        },
      });
      const { id } = await engine.enqueue(job, undefined);
      await engine.work({ jobs: [job] });
      await started.promise;
      assert.equal(await canceller.cancel(id), true);
      end.resolve();
      await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
      assert.equal((await countsOf(engine, job.name)).cancelled, 1);
    }
  });

  declare(
    "snoozes after the time limit, and when the worker stops, as long as the handler asks",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      if (!engine.capabilities.snoozing) return;
      const job = defineJob({
        name: kit.name("late"),
        timeoutMs: 50,
        maxAttempts: 1,
        async run(_, { signal, snooze }) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          return snooze(3_600_000);
        },
      });
      await engine.enqueue(job, undefined);
      await engine.work({ jobs: [job] });
      await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["snoozed"]));
      const started = deferred();
      const stopped = defineJob({
        name: kit.name("stopped"),
        async run(_, { signal, snooze }) {
          started.resolve();
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          return snooze(3_600_000);
        },
      });
      await engine.enqueue(stopped, undefined);
      const worker = await engine.work({ jobs: [stopped] });
      await started.promise;
      const { snoozed, interrupted } = await worker.stop({ graceMs: 0, abortMs: 20_000 });
      assert.deepEqual({ snoozed, interrupted }, { snoozed: 1, interrupted: 0 });
      assert.equal((await countsOf(engine, stopped.name)).scheduled, 1);
      assert.deepEqual(
        recorder.runs.map(({ status }) => status),
        ["cancelled", "cancelled"],
      );
    },
  );

  declare("counts a snooze for a wrong time as a failure", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.snoozing) return;
    const wrong = [-1, 0.5, Number.NaN, Infinity, 366 * 86_400_000, "5", undefined];
    const job = defineJob<number>({
      name: kit.name("wrong"),
      maxAttempts: 2,
      backoff: quick,
      run: (index, context) => ({ ...context }).snooze(wrong[index] as number),
    });
    await engine.enqueueMany(
      job,
      wrong.map((_, index) => index),
    );
    await engine.work({ jobs: [job], concurrency: 3 });
    await eventually(() => {
      const dead = recorder.settled.filter(({ outcome }) => outcome === "dead-lettered");
      assert.equal(dead.length, wrong.length);
    });
    for (const { error } of recorder.settled) {
      assert.match(error?.message ?? "", /`ms` of `snooze`.*whole number/);
      assert.ok(error?.cause instanceof TypeError || error?.cause instanceof RangeError);
    }
  });
};
