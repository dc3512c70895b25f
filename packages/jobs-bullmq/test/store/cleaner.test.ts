import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type BullmqEngineOptions, bullmqEngine } from "../../src/index.ts";

const runner = new ObservedJobRunner();
const job = defineJob<string>({
  name: "cleaned",
  maxAttempts: 1,
  run(payload) {
    if (payload === "fail") throw new Error("no");
  },
});
/** Cleaning is every few seconds, and BullMQ's ages are whole ones. */
const patience = { timeout: 40_000, interval: 100 };
let redis: Awaited<ReturnType<typeof startRedis>>;
let queue: string;

beforeAll(async () => {
  redis = await startRedis();
});

beforeEach(() => {
  queue = `cleaning-${crypto.randomUUID()}`;
});

afterAll(() => redis.stop());

const open = (options: Partial<BullmqEngineOptions> = {}) =>
  bullmqEngine({ runner, connection: { url: redis.url }, queue, ...options });

const shortly = { retainSucceededMs: 1_000, retainDeadLettersMs: 1_000 };

interface Client {
  flushdb(): Promise<unknown>;
  hlen(key: string): Promise<number>;
  zcard(key: string): Promise<number>;
  hset(key: string, field: string, value: string): Promise<number>;
}

/** BullMQ's own view of the queue, and its client. */
async function theirs(): Promise<Queue & { readonly raw: Client; [Symbol.asyncDispose](): Promise<void> }> {
  const view = new Queue(`${queue}.cleaned`, { connection: { url: redis.url } });
  const raw = (await view.client) as unknown as Client;
  return Object.assign(view, { raw, [Symbol.asyncDispose]: () => view.close() });
}

describe("an idle queue", { timeout: 90_000 }, () => {
  it("is left alone by an engine without upkeep", async () => {
    /** Leaves a job in a queue that ended longer ago than its retention. */
    const leave = async (name: string): Promise<void> => {
      const service = await open({ queue: name });
      await service.work({ jobs: [job] });
      await service.enqueue(job, "short", { retainMs: 1_000 });
      await expect.poll(() => service.stats(), patience).toMatchObject({ succeeded: 1 });
      await service.close();
    };
    const other = `${queue}-other`;
    await Promise.all([leave(queue), leave(other)]);
    await using visitor = await open({ upkeep: false });
    // It was opened later, so the visitor has had its time to clean when it has cleaned.
    await using cleaning = await open({ queue: other });
    await expect.poll(() => cleaning.stats(), patience).toMatchObject({ succeeded: 0 });
    expect(await visitor.stats()).toMatchObject({ succeeded: 1 });
  });

  it("keeps a job for its own retention, whatever other jobs end", async () => {
    await using engine = await open({ retainSucceededMs: 2_000 });
    const worker = await engine.work({ jobs: [job] });
    await engine.enqueue(job, "long", { retainMs: 3_600_000, idempotencyKey: "long" });
    await engine.enqueue(job, "usual", { idempotencyKey: "usual" });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 2 });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 1 });
    // When it ends, BullMQ removes all that are older than its own age.
    await engine.enqueue(job, "short", { retainMs: 1_000, idempotencyKey: "short" });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 2 });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 1 });
    const again = await Promise.all(
      ["long", "usual", "short"].map((idempotencyKey) => engine.enqueue(job, "again", { idempotencyKey })),
    );
    expect(again.map(({ isDuplicate }) => isDuplicate)).toEqual([true, false, false]);
    await worker.stop();
  });

  it("keeps the others for theirs when a job with a short retention ends", async () => {
    await using engine = await open();
    const worker = await engine.work({ jobs: [job] });
    await engine.enqueue(job, "usual", { idempotencyKey: "usual" });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 1 });
    await engine.enqueue(job, "short", { retainMs: 1_000, idempotencyKey: "short" });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 2 });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 1 });
    await engine.enqueue(job, "shortest", { retainMs: 1, idempotencyKey: "shortest" });
    await expect.poll(async () => (await engine.stats()).waiting, patience).toBe(0);
    expect((await engine.enqueue(job, "usual", { idempotencyKey: "usual" })).isDuplicate).toBe(true);
    await worker.stop();
  });

  it("forgets jobs that have ended, and frees their keys, when they are retained no longer", async () => {
    await using engine = await open(shortly);
    const worker = await engine.work({ jobs: [job] });
    await engine.enqueue(job, "once", { idempotencyKey: "key" });
    await engine.enqueue(job, "fail");
    await expect
      .poll(() => engine.stats(), patience)
      .toMatchObject({ succeeded: 1, deadLettered: 1, waiting: 0 });
    await worker.stop();
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 0, deadLettered: 0 });
    expect(await engine.deadLetters()).toEqual([]);
    expect((await engine.enqueue(job, "again", { idempotencyKey: "key" })).isDuplicate).toBe(false);
  });

  it("keeps jobs for the retention with which they were enqueued, also if another engine has a shorter one", async () => {
    await using keeping = await open();
    await using engine = await open(shortly);
    const worker = await keeping.work({ jobs: [job] });
    await keeping.enqueue(job, "fail");
    await expect.poll(() => keeping.stats(), patience).toMatchObject({ deadLettered: 1 });
    await worker.stop();
    await engine.cancel((await engine.enqueue(job, "cancelled")).id);
    // When this note is gone, all has been looked at.
    await expect.poll(() => engine.stats(), patience).toMatchObject({ cancelled: 0 });
    expect(await engine.stats()).toMatchObject({ deadLettered: 1 });
  });

  it("forgets cancelled jobs, and requests to cancel jobs that are gone", async () => {
    await using engine = await open(shortly);
    await using view = await theirs();
    for (let i = 0; i < 20; i++) await engine.cancel((await engine.enqueue(job, "cancelled")).id);
    const requests = `bull:${queue}:cancel-requests:cleaned`;
    await view.raw.hset(requests, "an id of a job that is gone", "1");
    expect(await engine.stats()).toMatchObject({ cancelled: 20 });
    await expect.poll(() => engine.stats(), patience).toMatchObject({ cancelled: 0 });
    await expect.poll(() => view.raw.hlen(requests), patience).toBe(0);
    expect(await view.raw.zcard(`bull:${queue}:cancelled:cleaned`)).toBe(0);
  });
});

describe("a Redis that has lost its data", { timeout: 90_000 }, () => {
  it("is told the names again: new jobs run, are counted, listed and cancelled", async () => {
    const own = await startRedis();
    await using engine = await open({ connection: { url: own.url } });
    const admin = new Queue("admin", { connection: { url: own.url } });
    const worker = await engine.work({ jobs: [job] });
    await engine.enqueue(job, "first");
    await expect.poll(() => engine.stats(), patience).toMatchObject({ succeeded: 1 });
    await ((await admin.client) as unknown as Client).flushdb();
    await engine.enqueueMany(job, ["second", "fail"]);
    const { id } = await engine.enqueue(job, "later", { runAt: new Date(Date.now() + 3_600_000) });
    await expect
      .poll(() => engine.stats(), patience)
      .toMatchObject({ succeeded: 1, deadLettered: 1, scheduled: 1 });
    expect(await engine.deadLetters()).toHaveLength(1);
    expect(await engine.cancel(id)).toBe(true);
    await worker.stop();
    await admin.close();
    await engine.close();
    await own.stop();
  });

  it("is told the names by a process that only works", async () => {
    const own = await startRedis();
    await using engine = await open({ connection: { url: own.url } });
    const admin = new Queue("admin", { connection: { url: own.url } });
    const worker = await engine.work({ jobs: [job] });
    await ((await admin.client) as unknown as Client).flushdb();
    await vi.waitFor(async () => expect((await engine.stats()).byName.cleaned).toBeDefined(), patience);
    await worker.stop();
    await admin.close();
    await engine.close();
    await own.stop();
  });
});
