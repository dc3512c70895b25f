import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { defineJob } from "../../src/index.ts";
import { type Deferred, deferred } from "../support/deferred.ts";
import {
  fetched,
  NextBringingConsumer,
  type ScriptedAnswer,
  ScriptedConsumer,
} from "../support/scripted-backend.ts";
import { startWork, type Working } from "../support/working.ts";

/** Starts a worker whose handlers the test ends, by job id. */
async function start(
  consumer: ScriptedConsumer,
  concurrency: number,
): Promise<{ readonly working: Working; readonly ends: Map<string, Deferred<void>> }> {
  const ends = new Map<string, Deferred<void>>();
  const job = defineJob<unknown>({
    name: "send_mail",
    run(_, { delivery }) {
      const end = deferred<void>();
      ends.set(delivery?.jobId ?? "", end);
      return end.promise;
    },
  });
  return { working: await startWork(consumer, job, { concurrency }), ends };
}

describe("a worker whose concurrency shrinks", () => {
  it("takes no next job with the settlement of a slot that is to go", async () => {
    const consumer = new NextBringingConsumer(fetched("a"), fetched("b"));
    let next = 0;
    consumer.onSettle = async (_, outcome): Promise<ScriptedAnswer> => ({
      isRecorded: true,
      next:
        outcome.type === "succeeded" && consumer.settlements.at(-1)?.wantsNext
          ? fetched(`next ${++next}`)
          : undefined,
    });
    const { working, ends } = await start(consumer, 2);
    await expect.poll(() => ends.size).toBe(2);
    working.worker.concurrency = 1;
    ends.get("a")?.resolve();
    await expect.poll(() => consumer.settlements.length).toBe(1);
    expect(consumer.settlements[0]).toMatchObject({ id: "a", wantsNext: false });
    ends.get("b")?.resolve();
    await expect.poll(() => ends.has("next 1")).toBe(true);
    expect(consumer.settlements[1]).toMatchObject({ id: "b", wantsNext: true });
    const stopped = working.worker.stop();
    ends.get("next 1")?.resolve();
    expect(await stopped).toMatchObject({ started: 3, succeeded: 3 });
  });

  it("releases a next job that was on its way", async () => {
    const consumer = new NextBringingConsumer(fetched("a"), fetched("b"));
    const answer = deferred<ScriptedAnswer>();
    consumer.onSettle = async ({ id }): Promise<ScriptedAnswer> =>
      id === "a" ? answer.promise : { isRecorded: true };
    const { working, ends } = await start(consumer, 2);
    await expect.poll(() => ends.size).toBe(2);
    ends.get("a")?.resolve();
    await expect.poll(() => consumer.settlements.length).toBe(1);
    working.worker.concurrency = 1;
    answer.resolve({ isRecorded: true, next: fetched("c") });
    await expect.poll(() => consumer.endings).toEqual(["a succeeded", "c released"]);
    expect(consumer.settlements[1]?.wantsNext, "nor a next one").toBe(false);
    expect(ends.has("c")).toBe(false);
    const stopped = working.worker.stop();
    ends.get("b")?.resolve();
    expect(await stopped).toMatchObject({ started: 2, succeeded: 2, interrupted: 0 });
  });

  it("fetches nothing for slots that went while it waited for more", async () => {
    const consumer = new ScriptedConsumer();
    consumer.onFetch = async (limit, signal) => {
      const jobs = await consumer.deliver(limit, signal);
      // Free slots then wait for others, since a fetch takes its time.
      await pause(20);
      return jobs;
    };
    consumer.push(fetched("a"), fetched("b"), fetched("c"), fetched("d"));
    const { working, ends } = await start(consumer, 4);
    await expect.poll(() => ends.size).toBe(4);
    consumer.onSettle = async () => {
      // When the slot is free, and the worker waits for more.
      setImmediate(() => {
        working.worker.concurrency = 3;
      });
      return { isRecorded: true };
    };
    ends.get("a")?.resolve();
    await expect.poll(() => working.worker.concurrency).toBe(3);
    ends.get("b")?.resolve();
    await expect.poll(() => consumer.limits.length).toBeGreaterThan(1);
    expect(consumer.limits).toEqual([4, 1]);
    const stopped = working.worker.stop();
    for (const end of ends.values()) end.resolve();
    await stopped;
  });

  it("releases what a fetch brings that had begun before", async () => {
    const consumer = new ScriptedConsumer();
    const { working, ends } = await start(consumer, 3);
    await expect.poll(() => consumer.limits).toEqual([3]);
    working.worker.concurrency = 1;
    consumer.push(fetched("a"), fetched("b"), fetched("c"));
    await expect.poll(() => consumer.endings.toSorted()).toEqual(["b released", "c released"]);
    expect([...ends.keys()]).toEqual(["a"]);
    const stopped = working.worker.stop();
    ends.get("a")?.resolve();
    expect(await stopped).toMatchObject({ started: 1, succeeded: 1 });
  });

  it("asks for as many jobs as have room, and again when there is more room", async () => {
    const consumer = new ScriptedConsumer(fetched("a"));
    const { working, ends } = await start(consumer, 1);
    await expect.poll(() => ends.size).toBe(1);
    expect(consumer.limits).toEqual([1]);
    working.worker.concurrency = 5;
    await expect.poll(() => consumer.limits).toEqual([1, 4]);
    const stopped = working.worker.stop();
    ends.get("a")?.resolve();
    await stopped;
    expect(working.worker.concurrency).toBe(5);
  });
});
