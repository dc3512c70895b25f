import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

/** Texts that may reach `cancel` and `redrive` from URLs. No job has such an id. Some of them are keys that stores use themselves. */
const noIds = [
  ...["meta", "id", "events", "wait", "active", "completed", "failed", "delayed", "marker", "stalled-check"],
  ...[
    "unknown",
    "123",
    "a:b",
    " ",
    "*",
    "%",
    "'",
    "{x}",
    "größe",
    "\u{1f600}",
    "\u0000",
    "a\u0000b",
    "\ud800",
  ],
  ...["x".repeat(513), "x".repeat(100_000), "00000000-0000-0000-0000-000000000000"],
];

export const unknownIds: Behaviour<Kit> = (declare) => {
  declare("resolve to false for any text, and change nothing", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob({ name: kit.name("bystander"), run() {} });
    const { id } = await engine.enqueue(job, undefined);
    for (const text of [...noIds, `${id}:lock`, `${id}:logs`, `${id} `, job.name]) {
      const what = JSON.stringify(text).slice(0, 60);
      assert.equal(await engine.cancel(text), false, `cancel(${what})`);
      assert.equal(await engine.redrive(text), false, `redrive(${what})`);
    }
    await assert.rejects(engine.cancel(""), TypeError);
    await assert.rejects(engine.redrive(""), TypeError);
    assert.equal((await countsOf(engine, job.name)).waiting, 1);
    await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
  });

  declare("include those of ended, waiting and running jobs", async (kit) => {
    const { engine } = await kit.open();
    const fails = defineJob<boolean>({
      name: kit.name("ended"),
      maxAttempts: 1,
      run: (isWrong) => isWrong && Promise.reject(new Error("no")),
    });
    const { id: succeeded } = await engine.enqueue(fails, false);
    const { id: failed } = await engine.enqueue(fails, true);
    assert.equal(await engine.redrive(succeeded), false, "it waits");
    await engine.work({ jobs: [fails] });
    await eventually(async () => {
      const counts = await countsOf(engine, fails.name);
      assert.deepEqual([counts.succeeded, counts.deadLettered], [1, 1]);
    });
    assert.equal(await engine.cancel(succeeded), false);
    assert.equal(await engine.cancel(failed), false);
    assert.equal(await engine.redrive(succeeded), false);
  });

  declare("redrive a dead letter once, if many callers ask at the same time", async (kit) => {
    const { engine } = await kit.open();
    let runs = 0;
    const job = defineJob({
      name: kit.name("redriven"),
      maxAttempts: 1,
      run() {
        runs++;
        throw new Error("no");
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    const worker = await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, 1));
    await worker.stop();
    const answers = await Promise.all(Array.from({ length: 8 }, () => engine.redrive(id)));
    assert.equal(answers.filter(Boolean).length, 1, `${answers}`);
    assert.equal((await countsOf(engine, job.name)).waiting, 1);
    await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, 1));
    assert.equal(runs, 2);
  });
};
