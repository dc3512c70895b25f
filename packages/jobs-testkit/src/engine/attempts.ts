import assert from "node:assert/strict";
import { defineJob, PermanentJobError } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const quick = { baseMs: 1, maxMs: 1 };

function named(name: string): Error {
  return Object.assign(new Error(`it is named ${name}`), { name });
}

export const attempts: Behaviour<Kit> = (declare) => {
  declare("tries a job again until it succeeds, and counts its attempts", async (kit) => {
    const { engine, recorder } = await kit.open();
    const seen: unknown[] = [];
    const job = defineJob({
      name: kit.name("retry"),
      backoff: quick,
      run(_, { delivery }) {
        seen.push(delivery?.attempt);
        if (seen.length < 3) throw new Error("not yet");
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() =>
      assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "retried", "succeeded"]),
    );
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(
      recorder.runs.map(({ status }) => status),
      ["failure", "failure", "success"],
    );
  });

  declare("waits longer after each attempt, within the bounds of its backoff", async (kit) => {
    const heardMs: number[] = [];
    const { engine, recorder } = await kit.open({}, { onJobSettled: () => void heardMs.push(Date.now()) });
    const startedMs: number[] = [];
    const job = defineJob({
      name: kit.name("backoff"),
      maxAttempts: 3,
      backoff: { baseMs: 400, maxMs: 10_000 },
      run() {
        startedMs.push(Date.now());
        throw new Error("never");
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.equal(recorder.outcomesOf(job.name).length, 3));
    const [first = 0, second = 0, third = 0] = startedMs;
    // Half of a delay is random: 200 to 400 ms, then 400 to 800. Engines may be late, and never early.
    assert.ok(second - first >= 195, `the second attempt came after ${second - first} ms`);
    assert.ok(third - second >= 395, `the third attempt came after ${third - second} ms`);
    const runAt = recorder.runs.map(({ delivery }) => delivery?.runAt.getTime() ?? 0);
    assert.ok((runAt[1] ?? 0) >= first + 195, "the second attempt could start before its backoff was over");
    for (const [attempt, mostMs] of [400, 800].entries()) {
      const lateMs = (runAt[attempt + 1] ?? 0) - (heardMs[attempt] ?? 0) - mostMs;
      assert.ok(lateMs < 1_000, `attempt ${attempt + 2} waited ${lateMs} ms longer than its backoff allows`);
    }
  });

  declare(
    "makes a job a dead letter after its last attempt, by the limit of the job or of the enqueue",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      const job = defineJob({
        name: kit.name("give_up"),
        maxAttempts: 5,
        backoff: quick,
        run() {
          throw new Error("never");
        },
      });
      await engine.enqueue(job, undefined, { maxAttempts: 2 });
      await engine.work({ jobs: [job] });
      await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["retried", "dead-lettered"]));
      assert.equal((await countsOf(engine, job.name)).deadLettered, 1);
      assert.equal(recorder.runs.length, 2);
    },
  );

  declare("makes a PermanentJobError a dead letter at once", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob({
      name: kit.name("permanent"),
      run() {
        throw new PermanentJobError("no such user");
      },
    });
    await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await eventually(() => assert.deepEqual(recorder.outcomesOf(job.name), ["dead-lettered"]));
    const letters = (await engine.deadLetters({ limit: 1_000 })).filter(
      ({ jobName }) => jobName === job.name,
    );
    assert.deepEqual(
      letters.map(({ error }) => error),
      ["no such user"],
    );
  });

  const thrown: readonly (readonly [what: string, value: unknown])[] = [
    ["undefined", undefined],
    ["a string", "just a string"],
    ["an object", { reason: "an object" }],
    ["an error with a null character", new Error("before\u0000after")],
    ["a very long error", new Error("x".repeat(100_000))],
    ...["WaitingError", "DelayedError", "WaitingChildrenError", "UnrecoverableError", "AbortError"].map(
      (name) => [`an error named ${name}`, named(name)] as const,
    ),
  ];
  declare("counts any thrown value as an ordinary failure", async (kit) => {
    const { engine, recorder } = await kit.open();
    const job = defineJob<number>({
      name: kit.name("throw"),
      maxAttempts: 2,
      backoff: quick,
      run(index) {
        throw thrown[index]?.[1];
      },
    });
    await engine.enqueueMany(
      job,
      thrown.map((_, index) => index),
    );
    await engine.work({ jobs: [job], concurrency: 3 });
    await eventually(async () =>
      assert.equal((await countsOf(engine, job.name)).deadLettered, thrown.length),
    );
    // Observers hear of an outcome when the engine has recorded it.
    await eventually(() => {
      for (const outcome of ["retried", "dead-lettered"]) {
        const count = recorder.outcomesOf(job.name).filter((each) => each === outcome).length;
        assert.equal(count, thrown.length, `${count} of ${thrown.length} were ${outcome}`);
      }
    });
  });
};
