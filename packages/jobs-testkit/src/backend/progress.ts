import assert from "node:assert/strict";
import type { StoredJobProgress } from "@nidus/jobs-durable";
import type { JobBackend, JobOutcome } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";
import { withShortLeases } from "./lease-time.ts";
import type { TestedConsumer } from "./tested-consumer.ts";

const half: StoredJobProgress = { fraction: 0.5, note: 'größe \u{1f600} \\ "half"' };
const all: StoredJobProgress = { fraction: 1 };

/** Whether the backend keeps progress, and shows it. */
function isShown({ capabilities }: JobBackend): boolean {
  return capabilities.progress && capabilities.listing;
}

async function progressOf(backend: JobBackend, id: string): Promise<StoredJobProgress | undefined> {
  const progress = (await backend.job?.(id, { withPayload: false }))?.progress;
  return progress && (JSON.parse(JSON.stringify(progress)) as StoredJobProgress);
}

async function save({ consumer }: TestedConsumer, job: never, progress: StoredJobProgress): Promise<void> {
  assert.ok(consumer.saveProgress, "`saveProgress` is there");
  await consumer.saveProgress(job, progress);
}

export const progress: Behaviour<BackendKit> = (declare) => {
  declare("is that of the last report, with its note", async (kit) => {
    const backend = await kit.open();
    if (!isShown(backend)) return;
    const name = kit.name("progress");
    const [job, other] = [kit.job(name), kit.job(name)];
    await backend.insert([job, other], {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.take(2);
    const first = leased.find(({ id }) => id === job.id);
    assert.ok(first);
    assert.equal(await progressOf(backend, job.id), undefined, "nothing was reported yet");
    await save(consumer, first as never, half);
    const elsewhere = await kit.another(backend);
    assert.deepEqual(await progressOf(elsewhere, job.id), half);
    await save(consumer, first as never, all);
    assert.deepEqual(
      await progressOf(elsewhere, job.id),
      all,
      "the last report counts, without the earlier note",
    );
    assert.equal(await progressOf(elsewhere, other.id), undefined, "another job has none");
    assert.deepEqual(await consumer.consumer.cancelRequests(leased), [], "the lease is held");
    assert.equal(await consumer.settle(first, { type: "succeeded" }), true);
    assert.deepEqual(await progressOf(elsewhere, job.id), all, "it stays when the job has ended");
  });

  declare("is stored with each outcome, and stays without one", async (kit) => {
    const backend = await kit.open();
    if (!isShown(backend)) return;
    const name = kit.name("outcomes");
    const outcomes: readonly JobOutcome[] = [
      { type: "succeeded" },
      { type: "dead-lettered", error: "no" },
      { type: "retried", delayMs: 3_600_000, error: "once" },
      { type: "released" },
      ...(backend.capabilities.snoozing ? [{ type: "snoozed", delayMs: 3_600_000 } as const] : []),
      ...(backend.capabilities.results ? [{ type: "succeeded", resultText: '{"a":1}' } as const] : []),
    ];
    const jobs = kit.jobs(name, outcomes.length);
    await backend.insert(jobs, {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.take(outcomes.length);
    for (const [index, job] of leased.entries()) {
      const outcome = { ...(outcomes[index] as JobOutcome), progress: half };
      assert.equal(await consumer.settle(job, outcome), true);
      assert.deepEqual(await progressOf(backend, job.id), half, `after "${outcome.type}"`);
    }
    const again = await consumer.next();
    assert.deepEqual(await progressOf(backend, again.id), half, "the next delivery begins with it");
    assert.equal(await consumer.settle(again, { type: "retried", delayMs: 0, error: "once" }), true);
    assert.deepEqual(await progressOf(backend, again.id), half, "an outcome without a progress keeps it");
    const dead = leased[1];
    assert.ok(dead);
    assert.equal(await backend.redrive(dead.id), true);
    assert.equal(await progressOf(backend, dead.id), undefined, "a redriven job begins anew");
  });

  declare("is not stored for a delivery that has been settled", async (kit) => {
    const backend = await kit.open();
    if (!isShown(backend)) return;
    const name = kit.name("settled");
    await backend.insert(kit.jobs(name, 1), {});
    const consumer = await kit.consumer(backend, name);
    const first = await consumer.next();
    await consumer.settle(first, { type: "retried", delayMs: 0, error: "once", progress: half });
    await save(consumer, first as never, { fraction: 0.1 });
    assert.deepEqual(await progressOf(backend, first.id), half, "a job that waits");
    const second = await consumer.next();
    await save(consumer, first as never, { fraction: 0.2 });
    assert.deepEqual(await progressOf(backend, first.id), half, "a job that was delivered again");
    await consumer.settle(second, { type: "succeeded", progress: all });
    await save(consumer, second as never, { fraction: 0.3 });
    assert.deepEqual(await progressOf(backend, first.id), all, "a job that has ended");
  });

  declare("is not overwritten by a consumer whose lease another one has by now", (kit) =>
    withShortLeases(kit, async ({ leaseMs, renew }) => {
      const backend = await kit.open(leaseMs);
      if (!isShown(backend) || !backend.capabilities.persistence) return;
      const name = kit.name("fenced");
      await backend.insert(kit.jobs(name, 1), {});
      const late = await kit.consumer(backend, name);
      const lost = await late.next();
      const other = await kit.consumer(await kit.another(backend, leaseMs), name);
      const held = await other.next(10 * backend.leaseMs + 30_000);
      renew(other, backend, [held]);
      await save(other, held as never, all);
      await save(late, lost as never, half);
      assert.deepEqual(await progressOf(backend, held.id), all);
      assert.equal(await late.settle(lost, { type: "released", progress: half }), false);
      assert.deepEqual(await progressOf(backend, held.id), all, "a refused outcome has changed the progress");
      assert.equal(await other.settle(held, { type: "succeeded" }), true);
    }),
  );
};
