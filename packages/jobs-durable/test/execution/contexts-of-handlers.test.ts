import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { expect, it } from "vitest";
import { defineJob, memoryEngine } from "../../src/index.ts";

it.each([1, 4])(
  "handlers run in the context of `work`, whatever other handlers enter: %d at a time",
  async (concurrency) => {
    const tenant = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const left: (string | undefined)[] = [];
    const job = defineJob<number>({
      name: "export",
      backoff: { fixedMs: 1 },
      async run(number, { delivery }) {
        seen.push(tenant.getStore());
        tenant.enterWith(`tenant ${number}`);
        await pause(1);
        left.push(tenant.getStore());
        if (number % 3 === 0 && delivery?.attempt === 1) throw new Error("once more");
      },
    });
    await using engine = memoryEngine({ runner: new ObservedJobRunner() });
    await tenant.run("the worker", () => engine.work({ jobs: [job], concurrency }));
    for (let number = 1; number <= 20; number++) {
      await tenant.run(`request ${number}`, () => engine.enqueue(job, number));
    }
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(20);
    expect(seen).toEqual(Array(26).fill("the worker"));
    expect(new Set(left).size).toBe(20);
  },
);
