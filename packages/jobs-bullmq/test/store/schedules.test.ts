import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { beforeEach, expect, it, vi } from "vitest";
import { describeEngines } from "../support/describe-engines.ts";

const runner = new ObservedJobRunner();
let queue: string;

beforeEach(() => {
  queue = `schedules-${crypto.randomUUID()}`;
});

/** A cron expression whose next moment comes soon, and then not for a year. */
function soon(): { readonly cron: string; readonly dueMs: number } {
  const due = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000);
  const [seconds, minutes, hours] = [due.getUTCSeconds(), due.getUTCMinutes(), due.getUTCHours()];
  return {
    cron: `${seconds} ${minutes} ${hours} ${due.getUTCDate()} ${due.getUTCMonth() + 1} *`,
    dueMs: due.getTime(),
  };
}

describeEngines("schedules", ({ bullmqEngine, redis }) => {
  const open = (): ReturnType<typeof bullmqEngine> =>
    bullmqEngine({ runner, connection: { url: redis().url }, queue });

  /** Schedules a job with the payload "before", and waits until it is late. */
  const late = async () => {
    const seen: unknown[] = [];
    const job = defineJob<string>({ name: "late", run: (payload) => void seen.push(payload) });
    const engine = await open();
    const { cron, dueMs } = soon();
    await engine.schedule(job, cron, "before");
    await vi.waitUntil(() => Date.now() > dueMs + 50, { timeout: 30_000 });
    return { engine, job, cron, seen };
  };

  it.each([
    ["", {}],
    [" with a key", { key: "a key: with colons" }],
  ])(
    "run once, late, if they came due while no service was up%s",
    async (_what, options) => {
      const seen: unknown[] = [];
      const job = defineJob<{ a: number; b: string }>({
        name: "late",
        run: (payload) => void seen.push(payload),
      });
      const first = await open();
      const { cron, dueMs } = soon();
      await first.schedule(job, cron, { a: 1, b: "x" }, { timeZone: "Etc/UTC", ...options });
      await first.close();
      await vi.waitUntil(() => Date.now() > dueMs + 50, { timeout: 30_000 });
      // The same, also in another order.
      const engine = await open();
      await engine.schedule(job, cron, { b: "x", a: 1 }, { timeZone: "Etc/UTC", ...options });
      await engine.work({ jobs: [job] });
      await expect.poll(() => seen, { timeout: 20_000 }).toEqual([{ a: 1, b: "x" }]);
      expect((await engine.stats()).byName.late).toMatchObject({ scheduled: 1, waiting: 0 });
      await engine.close();
    },
    60_000,
  );

  it("run once, late, with a payload that was changed meanwhile", async () => {
    const { engine: opened, job, cron, seen } = await late();
    await using engine = opened;
    await engine.schedule(job, cron, "after");
    await engine.work({ jobs: [job] });
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(["after"]);
    expect((await engine.stats()).byName.late?.scheduled).toBe(1);
  }, 60_000);

  it("are replaced if the time is another one, and not run late", async () => {
    const { engine: opened, job, seen } = await late();
    await using engine = opened;
    await engine.schedule(job, "0 0 1 1 *", "after");
    expect((await engine.stats()).byName.late).toMatchObject({ scheduled: 1, waiting: 0 });
    await engine.work({ jobs: [job] });
    await engine.enqueue(job, "by hand");
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(["by hand"]);
  }, 60_000);

  it("are not there under an unused name: to end one stores no name", async () => {
    await using engine = await open();
    expect(await engine.unschedule("mistyped")).toBe(false);
    await using other = await open();
    expect([(await engine.stats()).byName, (await other.stats()).byName]).toEqual([{}, {}]);
  });

  it("go on if their next run was removed", async () => {
    const job = defineJob({ name: "late", run() {} });
    await using engine = await open();
    await engine.schedule(job, "0 0 1 1 *", undefined);
    const theirs = new Queue(`${queue}.late`, { connection: { url: redis().url } });
    const client = (await theirs.client) as unknown as { del(...keys: string[]): Promise<number> };
    const [next] = await theirs.getDelayed();
    await client.del(theirs.toKey("delayed"), theirs.toKey(String(next?.id)));
    expect((await engine.stats()).scheduled).toBe(0);
    await engine.schedule(job, "0 0 1 1 *", undefined);
    expect((await engine.stats()).scheduled).toBe(1);
    await theirs.close();
  });

  it("run once, late, with a changed payload and the moment that was missed, if they have a start", async () => {
    const seen: unknown[] = [];
    const job = defineJob<string>({
      name: "late",
      run: (payload, { delivery }) => void seen.push(payload, delivery?.runAt.getTime()),
    });
    await using engine = await open();
    const { cron, dueMs } = soon();
    const startAt = new Date(dueMs - 10_000);
    await engine.schedule(job, cron, "before", { startAt });
    await vi.waitUntil(() => Date.now() > dueMs + 50, { timeout: 30_000 });
    await Promise.all([1, 2, 3].map(() => engine.schedule(job, cron, "after", { startAt })));
    await engine.work({ jobs: [job] });
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(["after", dueMs]);
    expect((await engine.stats()).byName.late).toMatchObject({ scheduled: 1, waiting: 0, succeeded: 1 });
  }, 60_000);

  it("come back when a worker begins, if another program has removed their next run", async () => {
    const job = defineJob({ name: "late", run() {} });
    await using engine = await open();
    await engine.schedule(job, "0 0 1 1 *", undefined, { key: "a" });
    await engine.schedule(job, { everyMs: 3_600_000 }, undefined, { key: "b" });
    const theirs = new Queue(`${queue}.late`, { connection: { url: redis().url } });
    const client = (await theirs.client) as unknown as { del(...keys: string[]): Promise<number> };
    const ids = (await theirs.getDelayed()).map(({ id }) => theirs.toKey(String(id)));
    await client.del(theirs.toKey("delayed"), ...ids);
    expect((await engine.stats()).scheduled).toBe(0);
    await engine.work({ jobs: [job] });
    expect((await engine.stats()).scheduled).toBe(2);
    expect((await engine.schedules()).map(({ key }) => key)).toEqual(["a", "b"]);
    await theirs.close();
  });

  it.each(["a worker begins", "they are stored again"])(
    "go on when %s, if BullMQ could not store the next run and the run before has ended",
    async (when) => {
      const job = defineJob({ name: "late", run() {} });
      await using engine = await open();
      await engine.schedule(job, "* * * * * *");
      const worker = await engine.work({ jobs: [job] });
      await expect.poll(async () => (await engine.stats()).succeeded, { timeout: 20_000 }).toBeGreaterThan(0);
      await worker.stop();
      const theirs = new Queue(`${queue}.late`, { connection: { url: redis().url } });
      const client = (await theirs.client) as unknown as Record<
        "zadd" | "del",
        (...values: unknown[]) => Promise<unknown>
      >;
      // As if the run that has succeeded were the last that the scheduler knows.
      const next = (await theirs.getJobs(["delayed", "waiting"])).map(({ id }) => theirs.toKey(String(id)));
      const [ended] = await theirs.getCompleted();
      await client.zadd(theirs.toKey("repeat"), Number(ended?.opts.prevMillis), "nidus.late.");
      await client.del(theirs.toKey("delayed"), theirs.toKey("wait"), ...next);
      if (when === "a worker begins") await engine.work({ jobs: [job] });
      else await engine.schedule(job, "* * * * * *");
      const { scheduled, waiting, running } = await engine.stats();
      expect(scheduled + waiting + running).toBeGreaterThan(0);
      await theirs.close();
    },
  );

  it("leave the schedulers of other programs to BullMQ, and list none of them", async () => {
    const seen: unknown[] = [];
    const job = defineJob<object>({ name: "theirs", run: (payload) => void seen.push(payload) });
    await using engine = await open();
    const theirs = new Queue(`${queue}.theirs`, { connection: { url: redis().url } });
    await engine.work({ jobs: [job] });
    // Another program's expression, which the engine refuses.
    await theirs.upsertJobScheduler(
      "nidus.theirs.x",
      { pattern: "0/1 * * * * *" },
      { name: "theirs", data: { payload: "theirs" } },
    );
    await theirs.upsertJobScheduler("other", { every: 200 }, { name: "theirs", data: { payload: "theirs" } });
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBeGreaterThan(3);
    expect(await engine.schedules()).toEqual([]);
    await theirs.close();
  });

  it.each(["0 3 * *", "5", "*", "", "* * * * * * *", "0 0 30 2 *", "hello", "@daily", "60 * * * *"])(
    'refuse "%s"',
    async (cron) => {
      await using engine = await open();
      const job = defineJob({ name: "refused", run() {} });
      await expect(engine.schedule(job, cron, undefined)).rejects.toThrow(TypeError);
      expect((await engine.stats()).scheduled).toBe(0);
    },
  );

  it.each(["0 3 * * *", "  0\t3 * * MON-FRI ", "*/5 * * * * *", "0 3 L * *", "0 3 * * 1#1"])(
    'take "%s"',
    async (cron) => {
      await using engine = await open();
      await engine.schedule(defineJob({ name: "taken", run() {} }), cron, undefined);
      expect((await engine.stats()).scheduled).toBe(1);
    },
  );
});
