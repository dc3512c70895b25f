import assert from "node:assert/strict";
import { defineJob, UnsupportedError } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const acting: Behaviour<Kit> = (declare) => {
  declare("reschedules a job that waits, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    const starts: number[] = [];
    const job = defineJob({ name: kit.name("rescheduled"), run: () => void starts.push(Date.now()) });
    const { id } = await engine.enqueue(job, undefined, { runAt: new Date(Date.now() + 3_600_000) });
    if (!engine.capabilities.listing) {
      for (const call of [
        engine.reschedule(id, new Date()),
        engine.cancelAll({ jobName: job.name }),
        engine.redriveAll(),
      ]) {
        await assert.rejects(call, (error) => UnsupportedError.isInstance(error));
      }
      return;
    }
    await engine.work({ jobs: [job] });
    const runAt = new Date(Date.now() + 300);
    assert.equal(await engine.reschedule(id, runAt), true);
    await eventually(() => assert.equal(starts.length, 1));
    assert.ok((starts[0] ?? 0) >= runAt.getTime() - 100, "it does not start before its time");
    await eventually(async () => assert.equal((await engine.job(id))?.state, "succeeded"));
    assert.equal(await engine.reschedule(id, runAt), false, "it has ended");
    assert.equal(await engine.reschedule("unknown", runAt), false);
    await assert.rejects(engine.reschedule(id, new Date(Number.NaN)), TypeError);
    await assert.rejects(engine.reschedule(id, new Date(-1)), RangeError);
    await assert.rejects(engine.reschedule("", runAt), TypeError);
  });

  declare("cancels all jobs of a name, those that run included, and counts each once", async (kit) => {
    const { engine, recorder } = await kit.open();
    if (!engine.capabilities.listing) return;
    const started = deferred();
    const job = defineJob<number>({
      name: kit.name("cancelled"),
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          started.resolve();
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    const bystander = defineJob({ name: kit.name("bystander"), run() {} });
    await engine.enqueue(bystander, undefined);
    await engine.enqueueMany(
      job,
      Array.from({ length: 230 }, (_, index) => index),
    );
    await engine.enqueue(job, 230, { runAt: new Date(Date.now() + 3_600_000) });
    const worker = await engine.work({ jobs: [job] });
    await started.promise;
    assert.equal(await engine.cancelAll({ jobName: job.name, limit: 1 }), 1);
    const counts = await Promise.all([1, 2].map(() => engine.cancelAll({ jobName: job.name })));
    assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 230, `${counts}`);
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).cancelled, 231));
    assert.equal(recorder.runsOf(job.name).length, 1, "nothing else has started");
    await worker.stop();
    assert.equal((await countsOf(engine, bystander.name)).waiting, 1);
    assert.equal(await engine.cancelAll({ jobName: job.name }), 0);
    await assert.rejects(engine.cancelAll({} as never), TypeError);
    await assert.rejects(engine.cancelAll({ jobName: job.name, limit: 0 }), RangeError);
    await assert.rejects(engine.cancelAll({ jobName: job.name, state: "waiting" } as never), TypeError);
  });

  declare(
    "finds the text of an error at the end of the first 1,000 characters, and not behind",
    async (kit) => {
      const { engine } = await kit.open();
      if (!engine.capabilities.listing) return;
      const job = defineJob({
        name: kit.name("long"),
        maxAttempts: 1,
        run() {
          throw new Error(`${"x".repeat(1_000 - "here".length)}here, not there`);
        },
      });
      await engine.enqueue(job);
      const worker = await engine.work({ jobs: [job] });
      await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, 1));
      await worker.stop();
      assert.equal(await engine.redriveAll({ jobName: job.name, error: "there" }), 0);
      assert.equal(await engine.redriveAll({ jobName: job.name, error: "xhere" }), 1);
    },
  );

  declare("redrives all dead letters of a name, or those with a text in their error", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.listing) return;
    let isMended = false;
    const job = defineJob<string>({
      name: kit.name("redriven"),
      maxAttempts: 1,
      run(payload) {
        if (!isMended) throw new Error(`${payload} is away`);
      },
    });
    const total = 210;
    const payloads = Array.from({ length: total }, (_, index) =>
      index % 70 === 0 ? "the mailbox" : "the server",
    );
    await engine.enqueueMany(job, payloads);
    await engine.work({ jobs: [job], concurrency: 20 });
    const dead = async (count: number): Promise<void> => {
      await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, count));
    };
    await dead(total);
    assert.equal(await engine.redriveAll({ jobName: job.name, error: "mailbox is" }), 3);
    await dead(total);
    assert.equal(await engine.redriveAll({ jobName: job.name, error: "the 100 % [server]" }), 0);
    isMended = true;
    assert.equal(await engine.redriveAll({ jobName: job.name, error: "the server", limit: 5 }), 5);
    const rest = await Promise.all([1, 2].map(() => engine.redriveAll({ jobName: job.name })));
    assert.equal((rest[0] ?? 0) + (rest[1] ?? 0), total - 5, `${rest}`);
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, total));
    await assert.rejects(engine.redriveAll({ error: "" }), TypeError);
    await assert.rejects(engine.redriveAll({ error: "x".repeat(513) }), RangeError);
    await assert.rejects(engine.redriveAll({ limit: 1.5 }), RangeError);
    await assert.rejects(engine.redriveAll({ name: job.name } as never), TypeError);
  });
};
