import assert from "node:assert/strict";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import type { Kit } from "./kit.ts";

export const health: Behaviour<Kit> = (declare) => {
  declare("says that the store answers, and how the workers of the process do", async (kit) => {
    const { engine, recorder } = await kit.open();
    const end = deferred();
    const job = defineJob({ name: kit.name("healthy"), run: () => end.promise });
    const worker = await engine.work({ jobs: [job], concurrency: 2 });
    await eventually(() => assert.equal(worker.health().state, "idle"));
    // A busy machine may take longer than an engine waits for a sign of life.
    const {
      latencyMs,
      workers,
      engine: name,
    } = await eventually(async () => {
      const health = await engine.health();
      assert.equal(health.isReachable, true);
      return health;
    });
    assert.ok(latencyMs !== undefined && latencyMs >= 0);
    assert.equal(name, engine.name);
    assert.deepEqual(
      workers.map(({ concurrency, running }) => ({ concurrency, running })),
      [{ concurrency: 2, running: 0 }],
    );
    await engine.enqueueMany(job, [undefined, undefined]);
    await eventually(() => {
      const { state, running, lastFetchAt } = worker.health();
      assert.deepEqual({ state, running }, { state: "working", running: 2 });
      assert.ok(lastFetchAt !== undefined && Date.now() - lastFetchAt.getTime() < 60_000);
    });
    end.resolve();
    await worker.stop();
    assert.equal(worker.health().state, "stopped");
    assert.deepEqual((await engine.health()).workers, []);
    await eventually(async () => {
      const seen = await recorder.opened[0]?.health?.();
      assert.equal(seen?.isReachable, true, "observers read the health as well");
    });
    await engine.close();
    await assert.rejects(engine.health(), "a closed engine refuses");
    assert.equal(await recorder.opened[0]?.health?.(), undefined, "a closed engine has no health");
  });
};
