import assert from "node:assert/strict";
import { defineJob, UnsupportedError } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

export const lookup: Behaviour<Kit> = (declare) => {
  declare("follows a job by its id from its enqueue to its end, or says that it cannot", async (kit) => {
    const { engine } = await kit.open();
    const end = deferred();
    const job = defineJob<{ to: string }>({
      name: kit.name("lookup"),
      maxAttempts: 3,
      run: () => end.promise,
    });
    const { id } = await engine.enqueue(job, { to: "ada" }, { correlationId: "order-1" });
    if (!engine.capabilities.listing) {
      await assert.rejects(engine.job(id), (error) => UnsupportedError.isInstance(error));
      return;
    }
    const waiting = await engine.job(id);
    assert.ok(waiting, "a job that was enqueued is found");
    const { jobName, state, attempt, maxAttempts, correlationId } = waiting;
    assert.deepEqual(
      { id: waiting.id, jobName, state, attempt, maxAttempts, correlationId },
      { id, jobName: job.name, state: "waiting", attempt: 0, maxAttempts: 3, correlationId: "order-1" },
    );
    assert.equal(waiting.payload, undefined, "no payload was asked for");
    assert.deepEqual((await engine.job(id, { withPayload: true }))?.payload, { to: "ada" });
    await engine.work({ jobs: [job] });
    await eventually(async () => {
      const running = await engine.job(id);
      assert.deepEqual([running?.state, running?.attempt], ["running", 1]);
      assert.ok(running?.startedAt);
    });
    end.resolve();
    await eventually(async () => {
      const ended = await engine.job(id);
      assert.equal(ended?.state, "succeeded");
      assert.ok(ended?.finishedAt);
    });
  });

  declare("finds a job by the keys of its enqueue", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.listing) return;
    const job = defineJob({ name: kit.name("keys"), run() {} });
    const jobName = job.name;
    const { id } = await engine.enqueue(job, undefined, { idempotencyKey: "order-1" });
    assert.equal((await engine.job({ jobName, idempotencyKey: "order-1" }))?.id, id);
    assert.equal(await engine.job({ jobName, idempotencyKey: "order-2" }), undefined);
    assert.equal(await engine.job({ jobName: kit.name("other"), idempotencyKey: "order-1" }), undefined);
    await assert.rejects(engine.job({ jobName } as never), TypeError);
    await assert.rejects(engine.job({ jobName, idempotencyKey: "a", uniqueKey: "a" } as never), TypeError);
    if (!engine.capabilities.uniqueKeys) {
      await assert.rejects(engine.job({ jobName, uniqueKey: "user-7" }), (error) =>
        UnsupportedError.isInstance(error),
      );
      return;
    }
    const unique = await engine.enqueue(job, undefined, { uniqueKey: "user-7" });
    assert.equal((await engine.job({ jobName, uniqueKey: "user-7" }))?.id, unique.id);
    assert.equal(await engine.job({ jobName, uniqueKey: "user-8" }), undefined);
    await engine.cancel(unique.id);
    assert.equal(
      await engine.job({ jobName, uniqueKey: "user-7" }),
      undefined,
      "a job that has ended holds no key",
    );
  });

  declare("finds no job under any other text, and refuses what is no id", async (kit) => {
    const { engine } = await kit.open();
    if (!engine.capabilities.listing) return;
    for (const text of ["unknown", "a:b", "\u0000", "\ud800", "x".repeat(513), crypto.randomUUID()]) {
      assert.equal(await engine.job(text), undefined, JSON.stringify(text).slice(0, 60));
    }
    await assert.rejects(engine.job(""), TypeError);
    await assert.rejects(engine.job(7 as never), TypeError);
    await assert.rejects(engine.job("a", { payload: true } as never), TypeError);
    await assert.rejects(engine.job("a", { withPayload: "yes" as never }), TypeError);
  });
};
