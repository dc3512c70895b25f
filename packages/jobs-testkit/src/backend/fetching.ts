import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Behaviour } from "../contract/test-plan.ts";
import { withinLimit } from "../contract/time-limit.ts";
import type { BackendKit } from "./backend-kit.ts";
import { longestFetchMs } from "./tested-consumer.ts";

/** How soon a fetch ends after its signal was aborted: "soon" on a busy machine. */
const soonMs = 5_000;

const rounds = 24;

/** How often a consumer fetches from an empty store, until one fetch takes longer than `restMs` milliseconds. */
const fetches = 3;
const restMs = 40;

export const fetching: Behaviour<BackendKit> = (declare) => {
  declare(
    "waits while there is no job, and answers with none after some seconds",
    async (kit) => {
      const backend = await kit.open();
      const name = kit.name("empty");
      const times = await Promise.all(
        [1, 2, 3].map(async () => {
          const consumer = await kit.consumer(backend, name);
          let tookMs = 0;
          // One may end early: when the store begins to tell of jobs, it is asked once more.
          for (let left = fetches; left > 0 && tookMs <= restMs; left--) {
            const startMs = performance.now();
            assert.deepEqual(await consumer.fetch(1), []);
            tookMs = performance.now() - startMs;
          }
          return tookMs;
        }),
      );
      const shortestMs = Math.min(...times);
      assert.ok(
        shortestMs > restMs,
        `a fetch from an empty store took ${shortestMs} ms: a worker would never rest`,
      );
    },
    fetches * longestFetchMs + 30_000,
  );

  declare("brings a job that is stored while it waits", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("later");
    const consumer = await kit.consumer(backend, name);
    const coming = consumer.next();
    await pause(300);
    const job = kit.job(name);
    await (await kit.another(backend)).insert([job], {});
    assert.equal((await coming).id, job.id);
  });

  declare("ends soon after its signal was aborted", async (kit) => {
    const backend = await kit.open();
    const consumer = await kit.consumer(backend, kit.name("aborted"));
    const controller = new AbortController();
    const fetching = consumer.fetch(1, controller.signal);
    await pause(100);
    controller.abort();
    const what = "a `fetch` whose signal was aborted";
    assert.deepEqual(await withinLimit(fetching, soonMs, what), []);
    await withinLimit(consumer.fetch(1, controller.signal), soonMs, what);
  });

  declare("loses no job that it has leased when its signal is aborted", async (kit) => {
    const backend = await kit.open();
    const name = kit.name("kept");
    const ids = new Set<string>();
    const consumer = await kit.consumer(backend, name);
    for (let round = 0; round < rounds; round++) {
      const job = kit.job(name);
      ids.add(job.id);
      const controller = new AbortController();
      const fetching = consumer.fetch(2, controller.signal);
      // The abort comes before, while or after the job is leased.
      const inserted = backend.insert([job], {});
      if (round % 3 > 0) await inserted;
      if (round % 3 > 1) await pause(round % 8);
      controller.abort();
      await inserted;
      for (const { id, attempt } of await fetching) {
        assert.equal(attempt, 1);
        ids.delete(id);
      }
    }
    // The other jobs still wait in the store, and no lease holds them back.
    for (const { id, attempt } of await consumer.take(ids.size, 20_000)) {
      assert.equal(attempt, 1, "a job that goes back after an abort spends no attempt");
      ids.delete(id);
    }
    assert.equal(ids.size, 0);
  });
};
