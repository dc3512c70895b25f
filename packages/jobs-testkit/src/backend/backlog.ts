import assert from "node:assert/strict";
import type { DeadLetter } from "@nidus/jobs-durable";
import type { JobBackend, NameBacklog } from "@nidus/jobs-durable/backend";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

export const backlog: Behaviour<BackendKit> = (declare) => {
  declare("counts what is due and waits, and says since when", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("backlog");
    const oldest = new Date(Date.now() - 60_000);
    await backend.insert([kit.job(name)], {});
    await backend.insert([kit.job(name, { runAt: oldest })], {});
    await backend.insert([kit.job(name, { runAt: new Date(Date.now() + 60_000) })], {});
    const row = await rowOf(backend, name);
    assert.equal(row?.waiting, 2, "jobs for later are no backlog");
    const ageMs = Date.now() - (row.oldestWaitingAt?.getTime() ?? Number.NaN);
    assert.ok(
      Math.abs(ageMs) < 120_000,
      "`oldestWaitingAt` is the moment from which the oldest could have run",
    );
    const consumer = await kit.consumer(backend, name);
    await consumer.take(2);
    assert.equal((await rowOf(backend, name))?.waiting, 0, "a leased job does not wait");
  });

  declare("has a row for a name with nothing waiting, so that its gauge does not vanish", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("idle");
    await backend.insert([kit.job(name)], {});
    const consumer = await kit.consumer(backend, name);
    const job = await consumer.next();
    assertEmpty(await rowOf(backend, name), "while its only job runs");
    await consumer.settle(job, { type: "succeeded" });
    assertEmpty(await rowOf(backend, name), "after its only job has succeeded");
  });

  declare("counts the dead letters of each name, and says since when", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("failed");
    const consumer = await kit.consumer(backend, name);
    const fail = async (): Promise<void> => {
      await backend.insert([kit.job(name)], {});
      await consumer.settle(await consumer.next(), { type: "dead-lettered", error: "no such user" });
    };
    await fail();
    const [first] = await lettersOf(backend, name);
    const firstMs = first?.failedAt.getTime() ?? Number.NaN;
    await eventually(() => assert.ok(Date.now() > firstMs + 1));
    await fail();
    const row = await rowOf(backend, name);
    assert.equal(row?.deadLettered, 2);
    assert.equal(row.oldestDeadLetterAt?.getTime(), firstMs, "it is that of the job that failed first");
    for (const { id } of await lettersOf(backend, name)) assert.equal(await backend.redrive(id), true);
    const redriven = await rowOf(backend, name);
    assert.equal(redriven?.deadLettered, 0, "a redriven job is no dead letter");
    assert.equal(redriven.oldestDeadLetterAt, undefined);
  });

  declare("answers a sign of life", async (kit) => {
    const backend = await kit.open();
    await backend.ping();
  });
};

async function lettersOf(backend: JobBackend, name: string): Promise<readonly DeadLetter[]> {
  return (await backend.deadLetters(10_000)).filter(({ jobName }) => jobName === name);
}

async function rowOf(backend: JobBackend, name: string): Promise<NameBacklog | undefined> {
  return (await backend.backlog()).find(({ jobName }) => jobName === name);
}

function assertEmpty(row: NameBacklog | undefined, when: string): void {
  assert.ok(row, `\`backlog\` has no row for a name ${when}`);
  assert.equal(row.waiting, 0);
  assert.equal(row.oldestWaitingAt, undefined);
  assert.equal(row.deadLettered, 0);
  assert.equal(row.oldestDeadLetterAt, undefined);
}
