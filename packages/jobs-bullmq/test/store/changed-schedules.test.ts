import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { expect, it, vi } from "vitest";
import { describeEngines } from "../support/describe-engines.ts";

const runner = new ObservedJobRunner();
const yearly = "0 0 1 1 *";
const hourMs = 3_600_000;

describeEngines("schedules that change", ({ bullmqEngine, redis }) => {
  /** An engine, a job whose runs are seen, and looks at its schedule. */
  const opened = async () => {
    const engine = await bullmqEngine({
      runner,
      connection: { url: redis().url },
      queue: `changed-${crypto.randomUUID()}`,
    });
    const seen: unknown[] = [];
    const job = defineJob<number>({
      name: "changed",
      run: (payload, { delivery }) => void seen.push([payload, delivery?.runAt.getTime()]),
    });
    return {
      engine,
      job,
      seen,
      nextMs: async () => (await engine.schedules())[0]?.nextRunAt?.getTime(),
      nextId: async () => (await engine.jobs({ state: "scheduled" })).jobs[0]?.id ?? "",
      states: async () => (await engine.jobs()).jobs.map(({ id, state }) => [id, state]),
      async [Symbol.asyncDispose]() {
        await engine.close();
      },
    };
  };
  type Opened = Awaited<ReturnType<typeof opened>>;

  const cancelNext = async ({ engine, nextId }: Opened) => void (await engine.cancel(await nextId()));
  const runNextNow = async ({ engine, job, seen, nextId }: Opened) => {
    await engine.reschedule(await nextId(), new Date(Date.now() - 1));
    const worker = await engine.work({ jobs: [job] });
    await expect.poll(() => seen, { timeout: 20_000 }).toHaveLength(1);
    await worker.stop();
  };

  it.each([
    ["was cancelled", cancelNext],
    ["has run ahead of its time", runNextNow],
  ])(
    "do not bring back a run that %s when the payload changes",
    async (_what, end) => {
      await using all = await opened();
      const { engine, job, nextMs } = all;
      await engine.schedule(job, yearly, 1);
      const first = Number(await nextMs());
      await end(all);
      const second = Number(await nextMs());
      expect(second - first).toBeGreaterThan(364 * 24 * hourMs);
      await engine.schedule(job, yearly, 2);
      expect(await nextMs()).toBe(second);
      const [next] = (await engine.jobs({ state: "scheduled", withPayload: true })).jobs;
      expect([next?.payload, next?.runAt.getTime()]).toEqual([2, second]);
    },
    60_000,
  );

  it("keep a late run as theirs when the payload changes, with the last payload and its moment", async () => {
    await using all = await opened();
    const { engine, job, seen, nextMs } = all;
    const startAt = new Date(Date.now() + 3_000);
    for (const payload of [1, 2, 3]) {
      await engine.schedule(job, { everyMs: hourMs }, payload, { startAt });
      await vi.waitUntil(() => Date.now() > startAt.getTime() + 50, { timeout: 30_000 });
    }
    expect(await nextMs()).toBe(startAt.getTime());
    expect((await engine.stats()).byName.changed).toMatchObject({ scheduled: 0, waiting: 1 });
    await engine.work({ jobs: [job] });
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual([[3, startAt.getTime()]]);
    expect(await nextMs()).toBe(startAt.getTime() + hourMs);
    const [next] = (await engine.jobs({ state: "scheduled", withPayload: true })).jobs;
    expect(next?.payload).toBe(3);
  }, 60_000);

  it("end with their late run when the payload has changed", async () => {
    await using all = await opened();
    const { engine, job, nextId } = all;
    await engine.schedule(job, yearly, 1);
    await engine.reschedule(await nextId(), new Date(Date.now() - 1));
    await engine.schedule(job, yearly, 2);
    expect((await engine.stats()).waiting).toBe(1);
    expect(await engine.unschedule(job)).toBe(true);
    expect(await all.states()).toEqual([]);
  });

  it("have no run in two states when the time changes and moments of cancelled runs come again", async () => {
    await using all = await opened();
    const { engine, job, nextId, states } = all;
    await engine.schedule(job, yearly, 1);
    const first = await nextId();
    await cancelNext(all);
    const second = await nextId();
    await cancelNext(all);
    await engine.schedule(job, yearly, 1, { endAt: new Date(Date.UTC(9000, 0)) });
    expect(await states()).toEqual([[first, "scheduled"]]);
    await cancelNext(all);
    expect(await states()).toEqual([
      [second, "scheduled"],
      [first, "cancelled"],
    ]);
    expect((await engine.stats()).cancelled).toBe(1);
  });

  it("skip the moments of cancelled runs when they end and begin again", async () => {
    await using all = await opened();
    const { engine, job, states } = all;
    await engine.schedule(job, yearly, 1);
    await cancelNext(all);
    await cancelNext(all);
    const before = await states();
    expect(before.map(([, state]) => state)).toEqual(["scheduled", "cancelled", "cancelled"]);
    await engine.unschedule(job);
    await engine.schedule(job, yearly, 1);
    expect(await states()).toEqual(before);
  });

  it("keep what is known of cancelled runs whose moments do not come again", async () => {
    await using all = await opened();
    const { engine, job, nextId, states } = all;
    await engine.schedule(job, yearly, 1);
    const first = await nextId();
    await cancelNext(all);
    await engine.schedule(job, "0 0 2 1 *", 1);
    expect(await states()).toEqual([
      [await nextId(), "scheduled"],
      [first, "cancelled"],
    ]);
  });

  it("skip the moment of a run that has run ahead of it when the time changes", async () => {
    await using all = await opened();
    const { engine, job, nextId, states } = all;
    await engine.schedule(job, yearly, 1);
    const first = await nextId();
    await runNextNow(all);
    const second = await nextId();
    await engine.schedule(job, yearly, 1, { endAt: new Date(Date.UTC(9000, 0)) });
    expect(await states()).toEqual([
      [second, "scheduled"],
      [first, "succeeded"],
    ]);
  }, 60_000);

  it("go on when a worker begins, if a run that has run ahead has the id of the run after the next one", async () => {
    await using all = await opened();
    const { engine, job, seen, nextMs } = all;
    const startAt = new Date(Date.now() + hourMs);
    await engine.schedule(job, { everyMs: 4 * hourMs }, 1, { startAt: new Date(startAt.getTime() + hourMs) });
    await runNextNow(all);
    await engine.schedule(job, { everyMs: hourMs }, 1, { startAt });
    expect(await nextMs()).toBe(startAt.getTime());
    seen.length = 0;
    await runNextNow(all);
    await engine.work({ jobs: [job] });
    expect(await nextMs()).toBe(startAt.getTime() + 2 * hourMs);
  }, 60_000);
});
