import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { defineJob } from "@nidus/jobs-durable";
import { deferred } from "../contract/deferred.ts";
import { eventually } from "../contract/eventually.ts";
import type { Behaviour } from "../contract/test-plan.ts";
import { countsOf, type Kit } from "./kit.ts";

export const concurrency: Behaviour<Kit> = (declare) => {
  declare("never runs more handlers than the concurrency, over all job names", async (kit) => {
    const { engine } = await kit.open();
    let running = 0;
    let most = 0;
    const full = deferred();
    const run = async (): Promise<void> => {
      most = Math.max(most, ++running);
      if (running === 4) full.resolve();
      // The first handlers wait for each other, and then all wait for one that must not start.
      await full.promise;
      await pause(30);
      running--;
    };
    const jobs = ["a", "b", "c"].map((of) => defineJob<number>({ name: kit.name(of), run }));
    const payloads = Array.from({ length: 20 }, (_, index) => index);
    for (const job of jobs) await engine.enqueueMany(job, payloads);
    await engine.work({ jobs, concurrency: 4 });
    await eventually(async () => {
      for (const job of jobs) assert.equal((await countsOf(engine, job.name)).succeeded, 20);
    }).finally(() => full.resolve());
    assert.equal(most, 4);
  });

  declare("lets no job name starve another", async (kit) => {
    const { engine } = await kit.open();
    let busyRuns = 0;
    let hasRareRun = false;
    const enough = 300;
    const busy = defineJob<number>({
      name: kit.name("busy"),
      // The next job of this name waits before this one has ended.
      async run(payload) {
        if (!hasRareRun && ++busyRuns < enough) await engine.enqueue(busy, payload);
      },
    });
    const rare = defineJob({
      name: kit.name("rare"),
      run: () => {
        hasRareRun = true;
      },
    });
    await engine.enqueueMany(busy, [1, 2, 3, 4, 5]);
    await engine.enqueue(rare, undefined);
    await engine.work({ jobs: [busy, rare], concurrency: 1 });
    await eventually(() => assert.ok(hasRareRun));
    assert.ok(busyRuns < enough, `${busyRuns} jobs of the busy name ran before it`);
  });

  declare(
    "holds the slot of a job that took too long until it has settled, and tries it again",
    async (kit) => {
      const { engine, recorder } = await kit.open();
      const end = deferred();
      const events: string[] = [];
      const slow = defineJob({
        name: kit.name("slow"),
        timeoutMs: 100,
        maxAttempts: 1,
        async run(_, { signal }) {
          signal.addEventListener("abort", () => events.push((signal.reason as Error).name));
          await end.promise;
          events.push("slow has ended");
          throw signal.reason;
        },
      });
      const next = defineJob({ name: kit.name("next"), run: () => void events.push("next has started") });
      await engine.enqueue(slow, undefined);
      const worker = await engine.work({ jobs: [slow, next], concurrency: 1 });
      await eventually(() => assert.deepEqual(events, ["TimeoutError"]));
      await engine.enqueue(next, undefined);
      await pause(300);
      assert.deepEqual(events, ["TimeoutError"], "the slot was given away");
      end.resolve();
      await eventually(() =>
        assert.deepEqual(events, ["TimeoutError", "slow has ended", "next has started"]),
      );
      await worker.stop();
      assert.deepEqual(recorder.outcomesOf(slow.name), ["dead-lettered"]);
      assert.equal(recorder.runs[0]?.status, "failure", "a timeout is a failure");
    },
  );
};
