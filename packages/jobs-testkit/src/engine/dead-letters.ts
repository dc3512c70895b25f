import assert from "node:assert/strict";
import { type DeadLetter, defineJob, type JobEngine } from "@nidus/jobs-durable";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

const quick = { baseMs: 1, maxMs: 1 };

async function lettersOf(engine: JobEngine, name: string): Promise<DeadLetter[]> {
  return (await engine.deadLetters({ limit: 10_000 })).filter((letter) => letter.jobName === name);
}

export const deadLetters: Behaviour<Kit> = (declare) => {
  declare("lists dead letters newest first, with payload and reason", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob<{ n: number }>({
      name: kit.name("letters"),
      maxAttempts: 2,
      backoff: quick,
      run({ n }) {
        throw new Error(`no ${n}`);
      },
    });
    const before = Date.now();
    await engine.work({ jobs: [job] });
    const ids: string[] = [];
    for (const n of [1, 2, 3]) {
      ids.push((await engine.enqueue(job, { n })).id);
      await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, n));
    }
    const letters = await lettersOf(engine, job.name);
    assert.deepEqual(
      letters.map(({ id, payload, error, attempts }) => ({ id, payload, error, attempts })),
      [3, 2, 1].map((n) => ({ id: ids[n - 1], payload: { n }, error: `no ${n}`, attempts: 2 })),
    );
    for (const { failedAt } of letters) {
      const isMeanwhile = failedAt.getTime() >= before - 1_000 && failedAt.getTime() <= Date.now() + 1_000;
      assert.ok(isMeanwhile, `it failed at ${failedAt.toISOString()}`);
    }
    assert.equal((await engine.deadLetters({ limit: 2 })).length, 2);
  });

  declare("runs a dead letter again, its attempts reset", async (kit) => {
    const { engine } = await kit.open();
    let isMended = false;
    const seen: (number | undefined)[] = [];
    const job = defineJob<string>({
      name: kit.name("redrive"),
      maxAttempts: 2,
      backoff: quick,
      run(_, { delivery }) {
        seen.push(delivery?.attempt);
        if (!isMended) throw new Error("broken");
      },
    });
    const { id } = await engine.enqueue(job, "as it was");
    assert.equal(await engine.redrive(id), false, "a job that waits is no dead letter");
    await engine.work({ jobs: [job] });
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, 1));
    assert.equal(await engine.redrive(id), true);
    await eventually(() => assert.deepEqual(seen, [1, 2, 1, 2]));
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).deadLettered, 1));
    isMended = true;
    assert.equal(await engine.redrive(id), true);
    await eventually(async () => assert.equal((await countsOf(engine, job.name)).succeeded, 1));
    assert.deepEqual(seen, [1, 2, 1, 2, 1]);
    assert.deepEqual(await lettersOf(engine, job.name), []);
    assert.equal(await engine.redrive(id), false, "a redriven job is no dead letter");
    assert.equal(await engine.redrive("there is none"), false);
    assert.equal(await engine.redrive(crypto.randomUUID()), false);
  });
};
