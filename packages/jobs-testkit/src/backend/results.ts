import assert from "node:assert/strict";
import type { JobBackend, JobEnd } from "@nidus/jobs-durable/backend";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

/** Asks for one job, by its id alone or with its name. */
async function endOf(backend: JobBackend, id: string, jobName?: string): Promise<JobEnd> {
  assert.ok(backend.ends, "`ends` is there");
  const [end] = await backend.ends([{ id, jobName }]);
  assert.ok(end, "`ends` resolves to one end for each job");
  return end;
}

/** The end, with the value of its result in place of the text: stores may write JSON in their own way. */
async function readEndOf(backend: JobBackend, id: string, jobName?: string): Promise<object> {
  const end = await endOf(backend, id, jobName);
  if (end.state !== "succeeded") return end;
  return { state: end.state, ...(end.resultText !== undefined && { result: JSON.parse(end.resultText) }) };
}

const results: readonly unknown[] = [
  null,
  0,
  "",
  false,
  [],
  'größe \u{1f600} \\ "',
  { a: { list: [1, null, {}] } },
];

export const storedResults: Behaviour<BackendKit> = (declare) => {
  declare("are kept with a success, whatever JSON they are, and without one there is none", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.results) return;
    const name = kit.name("results");
    await backend.insert(kit.jobs(name, results.length + 1), {});
    const consumer = await kit.consumer(backend, name);
    const [without, ...leased] = await consumer.take(results.length + 1);
    assert.ok(without);
    assert.deepEqual(await endOf(backend, without.id), { state: "pending", jobName: name });
    assert.equal(await consumer.settle(without, { type: "succeeded" }), true);
    for (const [index, job] of leased.entries()) {
      const resultText = JSON.stringify(results[index]);
      assert.equal(await consumer.settle(job, { type: "succeeded", resultText }), true);
    }
    const other = await kit.another(backend);
    assert.deepEqual(await readEndOf(other, without.id), { state: "succeeded" });
    for (const [index, { id }] of leased.entries()) {
      const expected = { state: "succeeded", result: results[index] };
      assert.deepEqual(await readEndOf(other, id), expected);
      assert.deepEqual(await readEndOf(other, id, name), expected, "asked for with the name of the job");
    }
  });

  declare("are kept up to a mebibyte", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.results) return;
    const name = kit.name("large");
    await backend.insert(kit.jobs(name, 1), {});
    const consumer = await kit.consumer(backend, name);
    const job = await consumer.next();
    const result = "x".repeat(1024 * 1024 - 2);
    assert.equal(await consumer.settle(job, { type: "succeeded", resultText: JSON.stringify(result) }), true);
    const end = await readEndOf(backend, job.id, name);
    assert.ok("result" in end && end.result === result, "the result has changed");
  });

  declare(
    "are told for many jobs at once, each in its state, and in the order of the question",
    async (kit) => {
      const backend = await kit.open();
      if (!backend.capabilities.results) return;
      const [name, other] = [kit.name("many"), kit.name("others")];
      await backend.insert(kit.jobs(name, 4), {});
      const waiting = kit.job(other, { runAt: new Date(Date.now() + 3_600_000) });
      const cancelled = kit.job(other);
      await backend.insert([waiting], {});
      await backend.insert([cancelled], {});
      await backend.cancel(cancelled.id);
      const consumer = await kit.consumer(backend, name);
      const [succeeded, dead, running, cancelledHere] = await consumer.take(4);
      assert.ok(succeeded && dead && running && cancelledHere);
      await consumer.settle(succeeded, { type: "succeeded", resultText: "7" });
      await consumer.settle(dead, { type: "dead-lettered", error: "the mailbox is full" });
      await consumer.settle(cancelledHere, { type: "cancelled" });
      assert.ok(backend.ends);
      const ends = await backend.ends([
        { id: dead.id, jobName: undefined },
        { id: "no id of this store: '\"\\%", jobName: undefined },
        { id: waiting.id, jobName: other },
        { id: succeeded.id, jobName: name },
        { id: cancelled.id, jobName: other },
        { id: crypto.randomUUID(), jobName: name },
        { id: running.id, jobName: undefined },
        { id: cancelledHere.id, jobName: undefined },
      ]);
      assert.deepEqual(ends, [
        { state: "dead-lettered", error: "the mailbox is full" },
        { state: "unknown" },
        { state: "pending", jobName: other },
        { state: "succeeded", resultText: "7" },
        { state: "cancelled" },
        { state: "unknown" },
        { state: "pending", jobName: name },
        { state: "cancelled" },
      ]);
      assert.equal(await backend.redrive(dead.id), true);
      assert.deepEqual(await endOf(backend, dead.id), { state: "pending", jobName: name });
    },
  );

  declare("are those of the delivery whose outcome was recorded", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.results) return;
    const name = kit.name("once");
    await backend.insert(kit.jobs(name, 1), {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.next();
    await consumer.settle(first, { type: "retried", delayMs: 0, error: "once" });
    const second = await consumer.next();
    assert.equal(await consumer.settle(second, { type: "succeeded", resultText: '"second"' }), true);
    await consumer.settle(first, { type: "succeeded", resultText: '"first"' });
    assert.deepEqual(await readEndOf(backend, first.id), { state: "succeeded", result: "second" });
  });

  declare("are told to watchers of a name, in any process, if the store can tell", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.results || backend.watchEnds === undefined) return;
    const name = kit.name("watched");
    const told: string[] = [];
    const watching = await kit.another(backend);
    const close = await watching.watchEnds?.(name, (jobId) => void told.push(jobId));
    const consumer = await kit.consumer(backend, name);
    // The store may begin to tell a moment later than it says: the engine asks once a second as well.
    await eventually(async () => {
      await backend.insert(kit.jobs(name, 2), {});
      const [succeeded, dead] = await consumer.take(2);
      assert.ok(succeeded && dead);
      await consumer.settle(succeeded, { type: "succeeded", resultText: "1" });
      await consumer.settle(dead, { type: "dead-lettered", error: "no" });
      await eventually(() => assert.ok(told.includes(succeeded.id) && told.includes(dead.id)), 1_000);
    });
    await close?.();
    const before = told.length;
    await backend.insert(kit.jobs(name, 1), {});
    const last = await consumer.next();
    await consumer.settle(last, { type: "succeeded" });
    assert.equal(told.length, before, "a watcher that was closed has heard of an end");
  });
};
