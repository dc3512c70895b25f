import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { backlogOf, countsOf, type Kit } from "./kit.ts";

export const stats: Behaviour<Kit> = (declare) => {
  declare("counts jobs by state and by name", async (kit) => {
    const { engine } = await kit.open();
    const end = deferred();
    const job = defineJob<string>({
      name: kit.name("stats"),
      maxAttempts: 1,
      async run(payload) {
        if (payload === "fails") throw new Error("always");
        if (payload === "runs") await end.promise;
      },
    });
    const before = Date.now();
    const later = { runAt: new Date(Date.now() + 60_000) };
    const cancelled = await engine.enqueue(job, "cancelled");
    await engine.cancel(cancelled.id);
    await engine.enqueueMany(job, ["ends well", "fails", "runs"]);
    await engine.enqueue(job, "later", later);
    const worker = await engine.work({ jobs: [job], concurrency: 3 });
    await eventually(async () => {
      const { oldestWaitingAt, ...counts } = await countsOf(engine, job.name);
      assert.equal(oldestWaitingAt, undefined);
      assert.deepEqual(counts, {
        scheduled: 1,
        waiting: 0,
        running: 1,
        succeeded: 1,
        deadLettered: 1,
        cancelled: 1,
      });
    });
    end.resolve();
    await worker.stop();
    await engine.enqueue(job, "waits");
    await engine.enqueue(job, "waits too");
    const all = await engine.stats();
    const { waiting, oldestWaitingAt } = all.byName[job.name] ?? {};
    assert.equal(waiting, 2);
    assert.ok(oldestWaitingAt instanceof Date && oldestWaitingAt.getTime() >= before - 1_000);
    assert.ok(oldestWaitingAt.getTime() <= Date.now() + 1_000);
    const sum = Object.values(all.byName).reduce((total, each) => total + each.succeeded, 0);
    assert.equal(all.succeeded, sum);
    for (const id of (await engine.enqueueMany(job, ["a"])).map((each) => each.id)) await engine.cancel(id);
  });

  declare("counts due jobs as waiting, even if no worker has polled", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob({ name: kit.name("due"), run() {} });
    const runAt = new Date(Date.now() + 300);
    await engine.enqueue(job, undefined, { runAt });
    await engine.enqueue(job, undefined, { runAt: new Date(Date.now() + 60_000) });
    const due = { scheduled: 1, waiting: 1 };
    const counts = await eventually(async () => {
      const { scheduled, waiting, oldestWaitingAt } = await countsOf(engine, job.name);
      assert.deepEqual({ scheduled, waiting }, due);
      return oldestWaitingAt;
    });
    const backlog = await backlogOf(recorder, job.name);
    assert.equal(backlog?.waiting, 1);
    for (const oldest of [counts, backlog.oldestWaitingAt]) {
      assert.ok(
        Math.abs((oldest?.getTime() ?? 0) - runAt.getTime()) < 100,
        "the job waits from its `runAt` on",
      );
    }
  });

  declare("hands its backlog to observers", async (kit) => {
    const { engine, recorder } = await kit.open();
    assert.equal(recorder.opened[0]?.engine, engine.name);
    const job = defineJob({ name: kit.name("backlog"), run() {} });
    const before = Date.now();
    await engine.enqueueMany(job, [undefined, undefined]);
    await engine.enqueue(job, undefined, { runAt: new Date(Date.now() + 60_000) });
    const after = Date.now();
    const backlog = await backlogOf(recorder, job.name);
    assert.equal(backlog?.waiting, 2, "a job that is due later does not count as waiting");
    const oldestMs = backlog?.oldestWaitingAt?.getTime() ?? 0;
    assert.ok(oldestMs >= before - 1_000 && oldestMs <= after + 1_000, "the job waits from its enqueue on");
    const worker = await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 2));
    await worker.stop();
    const { waiting, oldestWaitingAt } = (await backlogOf(recorder, job.name)) ?? {};
    assert.deepEqual({ waiting, oldestWaitingAt }, { waiting: 0, oldestWaitingAt: undefined });
    await engine.close();
    assert.equal(await recorder.opened[0]?.backlog(), undefined, "a closed engine has none");
  });
};
