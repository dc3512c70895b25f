import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

export const cancellation: Behaviour<Kit> = (declare) => {
  declare("cancels a job before it runs", async (kit) => {
    const { engine } = await kit.open();
    const ran: string[] = [];
    const job = defineJob<string>({ name: kit.name("cancel"), run: (payload) => void ran.push(payload) });
    const waiting = await engine.enqueue(job, "waiting");
    const scheduled = await engine.enqueue(job, "scheduled", { runAt: new Date(Date.now() + 300) });
    assert.equal(await engine.cancel(waiting.id), true);
    assert.equal(await engine.cancel(scheduled.id), true);
    assert.equal(await engine.cancel(waiting.id), false, "it is cancelled already");
    assert.equal(await engine.cancel("there is none"), false);
    assert.equal(await engine.cancel(crypto.randomUUID()), false);
    const kept = await engine.enqueue(job, "kept", { runAt: new Date(Date.now() + 600) });
    await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
    assert.deepEqual(ran, ["kept"]);
    assert.equal((await countsOf(engine, job.name)).cancelled, 2);
    assert.equal(await engine.cancel(kept.id), false, "it has run");
  });

  declare("cancels a running job through its signal, and does not try it again", async (kit) => {
    const { engine, recorder } = await kit.open();
    const reasons: unknown[] = [];
    const started = deferred();
    const job = defineJob({
      name: kit.name("running"),
      async run(_, { signal }) {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        started.resolve();
        await untilAborted(signal);
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await engine.cancel(id), true);
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
    assert.equal((reasons[0] as Error).name, "AbortError");
    assert.deepEqual(
      recorder.runs.map(({ status }) => status),
      ["cancelled"],
    );
    const { cancelled, running, waiting, deadLettered } = await countsOf(engine, job.name);
    assert.deepEqual(
      { cancelled, running, waiting, deadLettered },
      { cancelled: 1, running: 0, waiting: 0, deadLettered: 0 },
    );
  });

  declare("cancels a job that runs elsewhere", async (kit) => {
    const { engine, recorder } = await kit.open();
    const elsewhere = engine.capabilities.persistence ? (await kit.open()).engine : engine;
    const started = deferred();
    const job = defineJob({
      name: kit.name("elsewhere"),
      async run(_, { signal }) {
        started.resolve();
        await untilAborted(signal);
      },
    });
    const { id } = await elsewhere.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await elsewhere.cancel(id), true);
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
  });

  declare("lets a cancelled job that ignores its signal succeed", async (kit) => {
    const { engine, recorder } = await kit.open();
    const started = deferred();
    const end = deferred();
    const job = defineJob({
      name: kit.name("deaf"),
      async run() {
        started.resolve();
        await end.promise;
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await engine.cancel(id), true);
    end.resolve();
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["succeeded"]));
    const { succeeded, cancelled } = await countsOf(engine, job.name);
    assert.deepEqual({ succeeded, cancelled }, { succeeded: 1, cancelled: 0 });
  });

  declare("does not try a cancelled job again, with any error", async (kit) => {
    const { engine, recorder } = await kit.open();
    const started = deferred();
    const job = defineJob({
      name: kit.name("fails"),
      backoff: { baseMs: 1, maxMs: 1 },
      async run(_, { signal }) {
        started.resolve();
        await untilAborted(signal).catch(() => {});
        throw new Error("the connection was closed");
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await started.promise;
    await engine.cancel(id);
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
    assert.equal((await countsOf(engine, job.name)).cancelled, 1);
  });

  for (const [what, maxAttempts] of Object.entries({ again: 5, "at its last attempt": 1 })) {
    declare(`cancels a job that was cancelled elsewhere and then fails ${what}`, async (kit) => {
      const { engine, recorder } = await kit.open();
      const elsewhere = engine.capabilities.persistence ? (await kit.open()).engine : engine;
      const started = deferred();
      const end = deferred();
      const job = defineJob({
        name: kit.name("fails_by_itself"),
        maxAttempts,
        backoff: { baseMs: 1, maxMs: 1 },
        async run() {
          started.resolve();
          await end.promise;
          throw new Error("for a reason of its own");
        },
      });
      const { id } = await elsewhere.enqueue(job, undefined);
      await engine.work({ jobs: [job] });
      await started.promise;
      assert.equal(await elsewhere.cancel(id), true);
      end.resolve();
      await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
      const { cancelled, deadLettered } = await countsOf(engine, job.name);
      assert.deepEqual({ cancelled, deadLettered }, { cancelled: 1, deadLettered: 0 });
    });
  }

  declare("does not run a job again that was cancelled elsewhere before it was released", async (kit) => {
    const { engine, recorder } = await kit.open();
    const elsewhere = engine.capabilities.persistence ? (await kit.open()).engine : engine;
    const started = deferred();
    let runs = 0;
    const job = defineJob({
      name: kit.name("released"),
      async run(_, { signal }) {
        runs++;
        started.resolve();
        await untilAborted(signal);
      },
    });
    const { id } = await elsewhere.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await elsewhere.cancel(id), true);
    await worker.stop({ graceMs: 0 });
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["cancelled"]));
    assert.equal(runs, 1);
  });

  declare("cancels a job that waits for its next attempt", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob({
      name: kit.name("between"),
      backoff: { baseMs: 60_000, maxMs: 60_000 },
      run() {
        throw new Error("not yet");
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["retried"]));
    const { scheduled, waiting } = await countsOf(engine, job.name);
    assert.deepEqual({ scheduled, waiting }, { scheduled: 1, waiting: 0 }, "a retry waits for its time");
    assert.equal(await engine.cancel(id), true);
    const after = await countsOf(engine, job.name);
    assert.deepEqual([after.scheduled, after.cancelled], [0, 1]);
    assert.equal(await engine.redrive(id), false, "a cancelled job is no dead letter");
  });
};
