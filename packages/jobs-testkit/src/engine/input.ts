import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const input: Behaviour<Kit> = (declare) => {
  declare("refuses wrong input at the call, and stores nothing", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob({ name: kit.name("input"), run() {} });
    const wrong: readonly (readonly [options: object, ErrorType: typeof TypeError])[] = [
      [{ runAt: "tomorrow" }, TypeError],
      [{ runAt: new Date(Number.NaN) }, TypeError],
      [{ runAt: new Date(-1) }, RangeError],
      [{ runAt: new Date(Date.UTC(10_000, 0)) }, RangeError],
      [{ idempotencyKey: "" }, TypeError],
      [{ idempotencyKey: "x".repeat(513) }, RangeError],
      [{ correlationId: 7 }, TypeError],
      [{ maxAttempts: 0 }, RangeError],
      [{ maxAttempts: "3" }, TypeError],
    ];
    for (const [options, ErrorType] of wrong) {
      await assert.rejects(engine.enqueue(job, undefined, options), ErrorType, JSON.stringify(options));
    }
    await assert.rejects(engine.enqueue({ name: "no job" } as never, undefined), TypeError);
    await assert.rejects(engine.work({ jobs: [] }), TypeError);
    await assert.rejects(engine.work({ jobs: [job, job] }), TypeError);
    await assert.rejects(engine.work({ jobs: [job], concurrency: 0 }), RangeError);
    await assert.rejects(engine.deadLetters({ limit: 0 }), RangeError);
    await assert.rejects(engine.cancel(""), TypeError);
    assert.equal((await countsOf(engine, job.name)).waiting, 0);
  });

  declare("refuses options that it does not know, by their names", async (kit) => {
    const { engine } = await kit.open();
    const job = defineJob({ name: kit.name("unknown"), run() {} });
    const unknown = { runat: new Date() } as object;
    const worker = await engine.work({ jobs: [job] });
    const calls: (() => Promise<unknown>)[] = [
      () => engine.enqueue(job, undefined, unknown),
      () => engine.enqueueMany(job, [undefined], unknown),
      () => engine.work({ jobs: [job], ...unknown }),
      () => engine.deadLetters(unknown),
      async () => worker.stop(unknown),
    ];
    if (engine.capabilities.schedules)
      calls.push(() => engine.schedule(job, "0 3 * * *", undefined, unknown));
    for (const call of calls) await assert.rejects(call, /TypeError: unknown option "runat"/, String(call));
    for (const noOptions of [new Date(Date.now() + 3_600_000), [], new Map([["priority", 5]])]) {
      await assert.rejects(engine.enqueue(job, undefined, noOptions as object), TypeError, String(noOptions));
      await assert.rejects(engine.enqueueMany(job, [undefined], noOptions as object), TypeError);
      if (engine.capabilities.schedules)
        await assert.rejects(engine.schedule(job, "0 3 * * *", undefined, noOptions as object), TypeError);
    }
    await worker.stop();
    const counts = await countsOf(engine, job.name);
    assert.equal(counts.waiting + counts.succeeded, 0);
  });

  declare("takes any job name", async (kit) => {
    const { engine } = await kit.open();
    const suffix = kit.name("");
    for (const of of ["send digest", "a:b", "a/b", "größe", "{x}", "\u{1f600}", "a%2Fb", "A.b-c"]) {
      const job = defineJob<string>({ name: `${of}${suffix}`, run() {} });
      await engine.enqueue(job, of);
      assert.equal((await countsOf(engine, job.name)).waiting, 1, job.name);
    }
  });
};
