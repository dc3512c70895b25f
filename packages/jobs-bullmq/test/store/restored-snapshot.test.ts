import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { RedisConnection } from "bullmq";
import { type RedisServer, startRedis } from "test-servers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

let redis: RedisServer;
let folder: string;

interface AdminClient {
  call(...words: string[]): Promise<unknown>;
}

async function asAdmin(...words: string[]): Promise<unknown> {
  const admin = new RedisConnection({ url: redis.url });
  const answer = await ((await admin.client) as unknown as AdminClient).call(...words);
  await admin.close();
  return answer;
}

async function saveSnapshot(): Promise<void> {
  await asAdmin("SAVE");
  await copyFile(join(folder, "dump.rdb"), join(folder, "kept.rdb"));
}

async function restoreSnapshot(): Promise<void> {
  await redis.kill();
  await copyFile(join(folder, "kept.rdb"), join(folder, "dump.rdb"));
  await redis.start();
}

const outcomes: string[] = [];
const runner = new ObservedJobRunner({
  onJobSettled: ({ jobName, outcome }) => void outcomes.push(`${jobName} ${outcome}`),
});

const open = (): Promise<JobEngine> =>
  bullmqEngine({ runner, connection: { url: redis.url }, leaseMs: 2_000, onError() {} });

beforeEach(async () => {
  outcomes.length = 0;
  redis = await startRedis(["--appendonly", "no"]);
  folder = ((await asAdmin("CONFIG", "GET", "dir")) as string[])[1] as string;
});

afterEach(() => redis.stop());

describe("a Redis that is restored from a snapshot", () => {
  it("has lost what came after the snapshot, and nothing else, for engines and workers that go on", async () => {
    const ran: string[] = [];
    const quick = defineJob<string>({ name: "quick", run: (payload) => void ran.push(payload) });
    const waiting = defineJob({ name: "waiting", run() {} });
    const later = defineJob({ name: "came_later", run() {} });
    let release = (): void => {};
    const slow = defineJob({ name: "slow", run: () => new Promise<void>((resolve) => (release = resolve)) });
    await using engine = await open();
    await using other = await open();
    await engine.work({ jobs: [quick, slow], concurrency: 2 });
    await engine.enqueue(quick, "before", { idempotencyKey: "before" });
    await engine.enqueue(slow);
    const kept = await engine.enqueue(waiting);
    const scheduled = await engine.enqueue(waiting, undefined, { runAt: new Date(Date.now() + 3_600_000) });
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
    await expect.poll(async () => (await engine.stats()).running).toBe(1);
    await saveSnapshot();

    const lost = [await engine.enqueue(waiting), await other.enqueue(later)];
    await engine.enqueue(quick, "after", { idempotencyKey: "after" });
    await expect.poll(() => ran).toEqual(["before", "after"]);
    await restoreSnapshot();

    await expect
      .poll(() => other.stats().catch(() => undefined))
      .toMatchObject({ waiting: 1, scheduled: 1, running: 1 });
    for (const { id } of lost) expect(await engine.cancel(id)).toBe(false);
    const counted = { ...(await engine.stats()).byName };
    expect(counted.waiting).toMatchObject({ waiting: 1, scheduled: 1 });
    expect(counted.came_later?.waiting ?? 0).toBe(0);

    const fresh = await engine.enqueue(waiting);
    const freshLater = await other.enqueue(later);
    expect((await engine.stats()).byName.waiting?.waiting).toBe(2);
    expect((await engine.stats()).byName.came_later?.waiting).toBe(1);
    for (const { id } of [kept, scheduled, fresh, freshLater]) expect(await other.cancel(id)).toBe(true);
    expect((await engine.enqueue(quick, "again", { idempotencyKey: "before" })).isDuplicate).toBe(true);
    expect((await engine.enqueue(quick, "after again", { idempotencyKey: "after" })).isDuplicate).toBe(false);
    await expect.poll(() => ran).toEqual(["before", "after", "after again"]);

    release();
    await expect.poll(() => outcomes).toContain("slow succeeded");
    await expect
      .poll(async () => (await other.stats()).byName.slow)
      .toMatchObject({ succeeded: 1, running: 0 });
  });

  it("has lost everything after FLUSHALL: new jobs are counted, listed and cancelled at once", async () => {
    const job = defineJob({ name: "after_flush", run() {} });
    await using engine = await open();
    await engine.enqueue(job);
    await asAdmin("FLUSHALL");
    expect(await engine.stats()).toMatchObject({ waiting: 0 });
    await asAdmin("FLUSHALL");
    const { id } = await engine.enqueue(job);
    expect((await engine.jobs()).jobs.map((each) => each.id)).toEqual([id]);
    expect(await engine.job(id)).toMatchObject({ state: "waiting" });
    expect((await engine.stats()).byName.after_flush).toMatchObject({ waiting: 1 });
    await using other = await open();
    expect((await other.stats()).byName.after_flush).toMatchObject({ waiting: 1 });
    expect(await engine.cancel(id)).toBe(true);
  });

  it("gives a job that has started since then to the worker that runs it, which runs it once", async () => {
    let runs = 0;
    let release = (): void => {};
    const job = defineJob({
      name: "started_since",
      run() {
        runs++;
        return new Promise<void>((resolve) => (release = resolve));
      },
    });
    await using engine = await open();
    await engine.enqueue(job);
    await saveSnapshot();
    await engine.work({ jobs: [job], concurrency: 2 });
    await expect.poll(() => runs).toBe(1);
    await restoreSnapshot();
    await expect
      .poll(() =>
        engine.stats().then(
          ({ running }) => running,
          () => 0,
        ),
      )
      .toBe(1);
    release();
    await expect.poll(async () => (await engine.stats()).succeeded).toBe(1);
    expect(runs).toBe(1);
    expect(outcomes).toEqual(["started_since succeeded"]);
  });
});
