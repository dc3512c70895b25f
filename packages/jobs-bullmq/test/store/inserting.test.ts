import { inspect } from "node:util";
import { defineJob, EnqueuedInPartError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { bullmqEngine as Open } from "../../src/index.ts";
import { bullmqVersions, importOn } from "../support/on-bullmq.ts";

const runner = new ObservedJobRunner();
const job = defineJob<string>({ name: "inserted", run() {} });
let redis: Awaited<ReturnType<typeof startRedis>>;
let queue: string;
let admin: Queue;

async function setMaxMemory(bytes: number): Promise<void> {
  const client = (await admin.client) as unknown as { config(...words: string[]): Promise<unknown> };
  await client.config("SET", "maxmemory", String(bytes));
}

beforeAll(async () => {
  redis = await startRedis();
  admin = new Queue("admin", { connection: { url: redis.url } });
});

beforeEach(() => {
  queue = `inserting-${crypto.randomUUID()}`;
});

afterEach(() => setMaxMemory(0));

afterAll(async () => {
  await admin.close();
  await redis.stop();
});

describe.each(bullmqVersions)("enqueuing on BullMQ %s", async (version) => {
  const { bullmqEngine } = await importOn(version);
  const open = (onError = (_error: unknown): void => {}): ReturnType<typeof Open> =>
    bullmqEngine({ runner, connection: { url: redis.url }, queue, onError });

  it("stores whole slices or none of them, and says which, if the memory ends half-way", async () => {
    await using engine = await open();
    await engine.enqueue(job, "first");
    const memory = (await admin.client) as unknown as { info(section: string): Promise<string> };
    const used = Number(/used_memory:(\d+)/.exec(await memory.info("memory"))?.[1]);
    await setMaxMemory(used + 3 * 1024 * 1024);
    const payloads = Array.from({ length: 3_000 }, () => "s3cret".repeat(500));
    const error = await engine.enqueueMany(job, payloads).catch((thrown: unknown) => thrown);
    await setMaxMemory(0);
    expect(String(error)).toMatch(/OOM command not allowed/);
    const stored = EnqueuedInPartError.isInstance(error) ? error.jobs.filter((each) => each) : [];
    expect((await engine.stats()).waiting).toBe(1 + stored.length);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("s3cret");
  }, 60_000);

  it("gives a job at most 2,147,483,647 attempts, and more than one, if it asks for more", async () => {
    await using engine = await open();
    const fails = defineJob<number>({
      name: "fails",
      backoff: { fixedMs: 0 },
      run(_payload, { delivery }) {
        if (delivery?.attempt === 1) throw new Error("no");
        return delivery?.maxAttempts;
      },
    });
    await engine.work({ jobs: [fails] });
    const { id } = await engine.enqueue(fails, 1, { maxAttempts: Number.MAX_SAFE_INTEGER });
    expect(await engine.result(id)).toBe(2_147_483_647);
    expect((await engine.job(id))?.maxAttempts).toBe(2_147_483_647);
  });

  it("reads, cancels, reschedules and redrives jobs while there is no memory", async () => {
    await using engine = await open();
    const fails = defineJob({
      name: "fails",
      maxAttempts: 1,
      run() {
        throw new Error("no");
      },
    });
    const worker = await engine.work({ jobs: [fails] });
    const dead = await engine.enqueue(fails);
    await engine.result(dead.id).catch(() => {});
    await worker.stop();
    const runAt = new Date(Date.now() + 3_600_000);
    const [cancelled, moved] = await engine.enqueueMany(job, ["one", "two"], { runAt });
    await setMaxMemory(1);
    expect(await engine.stats()).toMatchObject({ scheduled: 2, deadLettered: 1 });
    expect((await engine.jobs()).jobs).toHaveLength(3);
    expect(await engine.deadLetters()).toHaveLength(1);
    expect(await engine.schedules()).toEqual([]);
    expect(await engine.cancel(cancelled?.id ?? "")).toBe(true);
    expect(await engine.reschedule(moved?.id ?? "", new Date(0))).toBe(true);
    expect(await engine.redrive(dead.id)).toBe(true);
    expect(await engine.stats()).toMatchObject({ waiting: 2, cancelled: 1 });
  }, 60_000);

  it("stores nothing if there is no memory at all, and tells no payload", async () => {
    const heard: unknown[] = [];
    await using engine = await open((error) => void heard.push(error));
    await engine.enqueue(job, "first");
    await setMaxMemory(1);
    const errors = await Promise.all([
      engine.enqueue(job, "s3cret").catch((error: unknown) => error),
      engine.enqueue(job, "s3cret", { idempotencyKey: "once" }).catch((error: unknown) => error),
      engine.enqueueMany(job, ["s3cret", "s3cret"]).catch((error: unknown) => error),
      engine.schedule(job, "0 3 * * *", "s3cret").catch((error: unknown) => error),
    ]);
    await setMaxMemory(0);
    for (const error of errors) expect(String(error)).toMatch(/OOM command not allowed/);
    const seen = inspect([errors, heard], { depth: 9, showHidden: true }) + JSON.stringify(errors);
    expect(seen).not.toContain("s3cret");
    expect(await engine.stats()).toMatchObject({ waiting: 1, scheduled: 0 });
  });

  it("stores the jobs of a batch in their order", async () => {
    await using engine = await open();
    const seen: number[] = [];
    const numbered = defineJob<number>({ name: "numbered", run: (number) => void seen.push(number) });
    const numbers = Array.from({ length: 1_200 }, (_, index) => index);
    await engine.enqueueMany(numbered, numbers);
    await engine.work({ jobs: [numbered] });
    await expect.poll(() => seen.length, { timeout: 60_000 }).toBe(numbers.length);
    expect(seen).toEqual(numbers);
  }, 90_000);

  it("tells duplicates within and across batches of one key", async () => {
    await using engine = await open();
    const options = { idempotencyKey: "batch" };
    const first = await engine.enqueueMany(job, ["a", "b"], options);
    const second = await engine.enqueueMany(job, ["a", "b", "c"], options);
    expect(first.map((each) => each.isDuplicate)).toEqual([false, false]);
    expect(second.map((each) => each.isDuplicate)).toEqual([true, true, false]);
  });
});
