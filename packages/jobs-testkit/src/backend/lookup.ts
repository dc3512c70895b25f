import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { StoredJob } from "@nidus/jobs-durable";
import type { JobBackend } from "@nidus/jobs-durable/backend";
import type { Behaviour } from "../contract/test-plan.ts";
import type { BackendKit } from "./backend-kit.ts";

export const lookup: Behaviour<BackendKit> = (declare) => {
  declare("finds a job in each state, with its attempts and its times", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("lookup");
    const startMs = Date.now();
    const later = new Date(startMs + 3_600_000);
    const [waits, runs, succeeds, fails] = kit.jobs(name, 4) as [J, J, J, J];
    const isLater = kit.job(name, { runAt: later, maxAttempts: 7 });
    await backend.insert([runs, succeeds, fails], {});
    const consumer = await kit.consumer(backend, name);
    const leased = await consumer.take(3);
    const [, second, third] = [runs, succeeds, fails].map(({ id }) => leased.find((job) => job.id === id));
    assert.ok(second && third);
    await consumer.settle(second, { type: "succeeded" });
    await consumer.settle(third, { type: "dead-lettered", error: "no" });
    await backend.insert([waits], {});
    await backend.insert([isLater], {});
    const states = ["waiting", "scheduled", "running", "succeeded", "dead-lettered"] as const;
    for (const [index, { id }] of [waits, isLater, runs, succeeds, fails].entries()) {
      const job = await found(backend, id);
      const state = states[index] as StoredJob["state"];
      const { jobName, attempt, priority, errors } = job;
      assert.deepEqual({ id: job.id, jobName, state: job.state }, { id, jobName: name, state });
      assert.equal(attempt, index < 2 ? 0 : 1, `\`attempt\` of a job that is ${state}`);
      assert.equal(job.maxAttempts, id === isLater.id ? 7 : 5);
      assert.equal(priority, 0);
      assert.ok(Array.isArray(errors));
      assertRecent(job.enqueuedAt, startMs, `\`enqueuedAt\` of a job that is ${state}`);
      if (state === "scheduled") assert.equal(job.runAt.getTime(), later.getTime());
      else assertRecent(job.runAt, startMs, `\`runAt\` of a job that is ${state}`);
      if (index < 2) assert.equal(job.startedAt, undefined, `\`startedAt\` of a job that is ${state}`);
      else assertRecent(job.startedAt, startMs, `\`startedAt\` of a job that is ${state}`);
      if (index < 3) assert.equal(job.finishedAt, undefined, `\`finishedAt\` of a job that is ${state}`);
      else assertRecent(job.finishedAt, startMs, `\`finishedAt\` of a job that is ${state}`);
    }
  });

  declare("tells the last `runAt` that `enqueue` takes as it was given", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    // Services store such a moment for "not yet".
    const runAt = new Date("9999-12-31T23:59:59.999Z");
    const job = kit.job(kit.name("not_yet"), { runAt });
    await backend.insert([job], {});
    const stored = await found(backend, job.id);
    assert.deepEqual([stored.state, stored.runAt.toISOString()], ["scheduled", runAt.toISOString()]);
  });

  declare("finds a cancelled job, with what was known of it", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("cancelled");
    const startMs = Date.now();
    const runAt = new Date(startMs + 3_600_000);
    const later = kit.job(name, { runAt, maxAttempts: 7, hasIdempotencyKey: true });
    const runs = kit.job(name);
    await backend.insert([later], {});
    await backend.insert([runs], {});
    assert.equal(await backend.cancel(later.id), true);
    const consumer = await kit.consumer(backend, name);
    await consumer.settle(await consumer.next(), { type: "cancelled" });
    for (const [id, attempt, maxAttempts] of [[later.id, 0, 7] as const, [runs.id, 1, 5] as const]) {
      const job = await found(backend, id);
      assert.deepEqual([job.jobName, job.state, job.maxAttempts], [name, "cancelled", maxAttempts]);
      assert.equal(job.attempt, attempt);
      assertRecent(job.enqueuedAt, startMs, "`enqueuedAt`");
      assertRecent(job.finishedAt, startMs, "`finishedAt`");
      assert.equal(job.startedAt === undefined, attempt === 0);
      const whole = await backend.job?.(id, { withPayload: true });
      assert.deepEqual(whole?.payload, { to: "ada" });
    }
    assert.equal((await found(backend, later.id)).runAt.getTime(), runAt.getTime());
  });

  declare("counts the attempts that have started, and keeps the start of the last one", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("attempts");
    const { id } = kit.job(name);
    await backend.insert([kit.job(name, { id })], {});
    const consumer = await kit.consumer(backend, name);
    await consumer.settle(await consumer.next(), { type: "released" });
    const released = await found(backend, id);
    assert.deepEqual([released.state, released.attempt, released.startedAt], ["waiting", 0, undefined]);
    await consumer.settle(await consumer.next(), { type: "retried", delayMs: 0, error: "once" });
    const again = await consumer.next();
    const running = await found(backend, id);
    assert.deepEqual([running.state, running.attempt], ["running", 2]);
    await pause(20);
    await consumer.consumer.renewLeases([again]);
    const renewed = await found(backend, id);
    assert.deepEqual(renewed.startedAt, running.startedAt, "a renewal of the lease is no start");
    await consumer.settle(again, { type: "succeeded" });
    const ended = await found(backend, id);
    assert.deepEqual([ended.state, ended.attempt, ended.startedAt], ["succeeded", 2, running.startedAt]);
  });

  declare("reads the payload only if asked for, and what came with it in any case", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("payload");
    for (const payload of [{ to: "ada" }, { to: "ada".repeat(100_000) }]) {
      const attributes = { tenant: "acme", isTrial: true };
      const envelopeText = JSON.stringify({ correlationId: "order-1", attributes, payload });
      const runAt = new Date(Date.now() + 3_600_000);
      const { id } = kit.job(name);
      await backend.insert([kit.job(name, { id, envelopeText, runAt })], {});
      const without = await found(backend, id);
      assert.equal("payload" in without, false, "no payload was asked for");
      assert.equal(without.correlationId, "order-1");
      assert.deepEqual(without.attributes, attributes);
      assert.equal(without.runAt.getTime(), runAt.getTime());
      const job = await backend.job?.(id, { withPayload: true });
      assert.deepEqual(job?.payload, payload);
    }
  });

  declare("keeps the errors of the last ten attempts, through retries and a redrive", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("errors");
    const { id } = kit.job(name);
    await backend.insert([kit.job(name, { id, maxAttempts: 20 })], {});
    const consumer = await kit.consumer(backend, name);
    const startMs = Date.now();
    await consumer.settle(await consumer.next(), { type: "retried", delayMs: 0, error: "first" });
    await consumer.settle(await consumer.next(), { type: "released" });
    await consumer.settle(await consumer.next(), { type: "retried", delayMs: 0, error: "second" });
    assert.deepEqual(errorsOf(await found(backend, id)), ["2 second", "1 first"]);
    const last = "third".padEnd(2_000, ".");
    await consumer.settle(await consumer.next(), { type: "dead-lettered", error: last });
    const dead = await found(backend, id);
    assert.deepEqual(errorsOf(dead).slice(1), ["2 second", "1 first"]);
    const [newest] = dead.errors;
    assert.deepEqual([newest?.attempt, newest?.message.slice(0, 6)], [3, "third."]);
    assert.ok((newest?.message.length ?? 0) <= 1_000, "messages are bounded");
    assertRecent(newest?.at, startMs, "`at`");
    assert.equal(await backend.redrive(id), true);
    for (const error of ["a", "b", "c", "d", "e", "f", "g", "h", "i"]) {
      await consumer.settle(await consumer.next(), { type: "retried", delayMs: 0, error });
    }
    assert.deepEqual(
      errorsOf(await found(backend, id)).map((each) => each.replace(/^\d+ /, "").slice(0, 5)),
      ["i", "h", "g", "f", "e", "d", "c", "b", "a", "third"],
    );
    await consumer.settle(await consumer.next(), { type: "succeeded" });
    assert.equal((await found(backend, id)).errors.length, 10, "a success keeps them");
  });

  declare("finds nothing under an id that no job has", async (kit) => {
    const backend = await kit.open();
    if (!backend.capabilities.listing) return;
    const name = kit.name("unknown");
    await backend.insert([kit.job(name)], {});
    for (const id of ["meta", "a:b", name, "x".repeat(512), crypto.randomUUID()]) {
      assert.equal(await backend.job?.(id, { withPayload: true }), undefined, id);
    }
  });
};

type J = ReturnType<BackendKit["job"]>;

function errorsOf({ errors }: StoredJob): string[] {
  return errors.map(({ attempt, message }) => `${attempt} ${message}`);
}

async function found(backend: JobBackend, id: string): Promise<StoredJob> {
  assert.ok(backend.job, "`job` is there");
  const job = await backend.job(id, { withPayload: false });
  assert.ok(job, "a job that is stored is found by its id");
  return job;
}

/** Clocks of servers differ a little. */
function assertRecent(moment: Date | undefined, startMs: number, what: string): void {
  const ageMs = (moment?.getTime() ?? Number.NaN) - startMs;
  assert.ok(ageMs > -60_000 && ageMs < 120_000, `${what} is ${String(moment)}`);
}
