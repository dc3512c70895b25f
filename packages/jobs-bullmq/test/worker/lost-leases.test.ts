import { defineJob, type JobEngine } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue, Worker } from "bullmq";
import { type RedisServer, startRedis } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BullmqBackend } from "../../src/bullmq-backend.ts";
import { bullmqEngine } from "../../src/index.ts";
import { Queues } from "../../src/store/queues.ts";
import { locksOf } from "../support/locks.ts";

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

const fresh = (): string => `leases-${crypto.randomUUID()}`;
const soon = { timeout: 120_000 };

/** BullMQ's own view of a queue, and the commands of Redis. */
async function raw(queue: string) {
  const theirs = new Queue(queue, { connection: { url: redis.url } });
  const client = (await theirs.client) as unknown as {
    del(key: string): Promise<number>;
    exists(key: string): Promise<number>;
    eval(script: string, keys: number, ...values: string[]): Promise<unknown>;
  };
  /** As BullMQ does it when a lock is gone at a second look. */
  const stall = (id: string): Promise<unknown> =>
    client.eval(
      `redis.call('DEL', KEYS[1] .. ARGV[1] .. ':lock')
       redis.call('LREM', KEYS[1] .. 'active', 1, ARGV[1])
       redis.call('HINCRBY', KEYS[1] .. ARGV[1], 'stc', 1)
       redis.call('RPUSH', KEYS[1] .. 'wait', ARGV[1])
       redis.call('ZADD', KEYS[1] .. 'marker', 0, '0')`,
      1,
      theirs.toKey(""),
      id,
    );
  return { theirs, client, stall };
}

/** A handler that waits until it is let go, and says which attempts began. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const attempts: (number | undefined)[] = [];
  return { open, opened, attempts };
}

/** Leases last half a minute: nothing here waits for their end. */
const engineOf = (queue: string) => {
  const recorder = recordingObserver();
  const runner = new ObservedJobRunner(recorder);
  const connection = { url: redis.url };
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  return { recorder, errors, opening: bullmqEngine({ runner, connection, queue, onError }) };
};

describe("a lease that is lost", () => {
  it.each([1, 2])("frees the slot when another worker has the job, with %d names", async (count) => {
    const queue = fresh();
    const [mine, others] = [engineOf(queue), engineOf(queue)];
    await using here = await mine.opening;
    await using there = await others.opening;
    const { stall, theirs } = await raw(`${queue}.slow`);
    const [first, second] = [gate(), gate()];
    const slow = (engine: JobEngine) => {
      const { attempts, opened } = engine === here ? first : second;
      return defineJob({
        name: "slow",
        async run(_, { delivery }) {
          attempts.push(delivery?.attempt);
          await opened;
        },
      });
    };
    const other = defineJob({ name: "other", run() {} });
    const { id } = await here.enqueue(slow(here), undefined);
    const worker = await here.work({ jobs: [slow(here), other].slice(0, count) });
    await expect.poll(() => first.attempts, soon).toEqual([1]);
    const rival = await there.work({ jobs: [slow(there)] });
    await stall(id);
    await expect.poll(() => second.attempts, soon).toEqual([2]);
    first.open();
    // It has ended here, and nothing of that is recorded: the slot is free for the next.
    await here.enqueue(slow(here), undefined);
    await expect.poll(() => first.attempts, soon).toEqual([1, 1]);
    await expect.poll(async () => (await here.stats()).succeeded, soon).toBe(1);
    second.open();
    await expect.poll(async () => (await here.stats()).succeeded, soon).toBe(2);
    expect(mine.recorder.outcomesOf("slow").filter((outcome) => outcome === "succeeded")).toHaveLength(1);
    expect(await worker.stop()).toMatchObject({ started: 2, abandoned: 0 });
    await rival.stop();
    expect(await locksOf(redis, queue)).toEqual([]);
    await theirs.close();
  });

  it.each(["active", "waits again"])("is taken again when no worker has the job: %s", async (place) => {
    const queue = fresh();
    const { recorder, opening } = engineOf(queue);
    await using engine = await opening;
    const { client, stall, theirs } = await raw(`${queue}.slow`);
    const { open, opened, attempts } = gate();
    const slow = defineJob({
      name: "slow",
      maxAttempts: 1,
      async run(_, { delivery }) {
        attempts.push(delivery?.attempt);
        await opened;
      },
    });
    const { id } = await engine.enqueue(slow, undefined);
    await engine.work({ jobs: [slow] });
    await expect.poll(() => attempts, soon).toEqual([1]);
    if (place === "active") await client.del(theirs.toKey(`${id}:lock`));
    else await stall(id);
    open();
    await expect.poll(() => recorder.outcomesOf("slow"), soon).toEqual(["succeeded"]);
    expect(attempts).toEqual([1]);
    expect(await engine.stats()).toMatchObject({ succeeded: 1, waiting: 0, running: 0 });
    expect(await locksOf(redis, queue)).toEqual([]);
    await theirs.close();
  });

  it("is not taken on a job that has ended elsewhere, and observers hear nothing of it", async () => {
    const queue = fresh();
    const { recorder, opening } = engineOf(queue);
    await using engine = await opening;
    const { stall, theirs } = await raw(`${queue}.slow`);
    const { open, opened, attempts } = gate();
    const slow = defineJob({
      name: "slow",
      async run(payload: string, { delivery }) {
        attempts.push(delivery?.attempt);
        if (payload === "taken") await opened;
        if (payload === "taken") throw new Error("fails here");
      },
    });
    const { id } = await engine.enqueue(slow, "taken");
    await engine.work({ jobs: [slow] });
    await expect.poll(() => attempts, soon).toEqual([1]);
    await stall(id);
    const connection = { url: redis.url };
    const thief = new Worker(`${queue}.slow`, null, { connection, autorun: false });
    const job = await thief.getNextJob("theirs");
    await job?.moveToCompleted("done", "theirs", false);
    open();
    await engine.enqueue(slow, "next");
    await expect.poll(() => attempts, soon).toEqual([1, 1]);
    await expect.poll(() => recorder.outcomesOf("slow").at(-1), soon).toBe("succeeded");
    expect(recorder.outcomesOf("slow")).not.toContain("retried");
    expect(await engine.stats()).toMatchObject({ succeeded: 2, scheduled: 0, running: 0 });
    expect(await locksOf(redis, queue)).toEqual([]);
    await thief.close(true);
    await theirs.close();
  });

  it("lets a cancellation through to the worker that has the job, and counts the job once", async () => {
    const queue = fresh();
    const [mine, others] = [engineOf(queue), engineOf(queue)];
    await using here = await mine.opening;
    await using there = await others.opening;
    const { client, stall, theirs } = await raw(`${queue}.slow`);
    const begun: string[] = [];
    const heard: string[] = [];
    const { open, opened } = gate();
    const slow = (where: string) =>
      defineJob({
        name: "slow",
        async run(_, { signal }) {
          begun.push(where);
          signal.addEventListener("abort", () => heard.push(where));
          await opened;
          // The one that has lost it gives in, the other does not.
          if (where === "here") signal.throwIfAborted();
        },
      });
    const { id } = await here.enqueue(slow("here"), undefined);
    await here.work({ jobs: [slow("here")] });
    await expect.poll(() => begun, soon).toEqual(["here"]);
    await there.work({ jobs: [slow("there")] });
    await stall(id);
    await expect.poll(() => begun, soon).toEqual(["here", "there"]);
    expect(await here.cancel(id)).toBe(true);
    await expect.poll(() => [...heard].sort(), soon).toEqual(["here", "there"]);
    open();
    await expect.poll(() => others.recorder.outcomesOf("slow"), soon).toEqual(["stalled", "succeeded"]);
    expect(mine.recorder.outcomesOf("slow")).not.toContain("cancelled");
    expect(await here.stats()).toMatchObject({ succeeded: 1, cancelled: 0 });
    // The request is gone with the job's end.
    expect(await client.exists(`bull:${queue}:cancel-requests:slow`)).toBe(0);
    await theirs.close();
  });

  it("is reported once, by the delivery that follows", async () => {
    const queue = fresh();
    const { stall, theirs } = await raw(`${queue}.slow`);
    const onError = (error: unknown): void => {
      throw error;
    };
    const queues = new Queues(queue, "bull", { url: redis.url }, onError);
    const retention = { succeededSeconds: 60, deadLettersSeconds: 60 };
    const backend = new BullmqBackend(queues, {
      ...{ queue, address: "", leaseMs: 30_000, retention, onError },
      hasUpkeep: true,
    });
    const id = crypto.randomUUID();
    await backend.insert(
      [
        {
          ...{
            id,
            name: "slow",
            envelopeText: "{}",
            runAt: undefined,
            maxAttempts: 9,
            hasIdempotencyKey: false,
          },
          ...{ priority: 0, uniqueKey: undefined, uniqueForMs: undefined, retainMs: undefined },
        },
      ],
      {},
    );
    const consumer = await backend.consumer(["slow"]);
    const next = async () => {
      for (;;) {
        const [job] = await consumer.fetch(1, new AbortController().signal);
        if (job !== undefined) return job;
      }
    };
    expect(await next()).toMatchObject({ attempt: 1, followsStalled: false });
    await stall(id);
    const second = await next();
    expect(second).toMatchObject({ attempt: 2, followsStalled: true });
    await consumer.settle(second, { type: "released" });
    const again = await next();
    expect(again).toMatchObject({ attempt: 2, followsStalled: false });
    await consumer.settle(again, { type: "retried", delayMs: 1, error: "not yet" });
    const third = await next();
    expect(third).toMatchObject({ attempt: 3, followsStalled: false });
    await consumer.settle(third, { type: "dead-lettered", error: "never" });
    expect(await backend.redrive(id)).toBe(true);
    expect(await next()).toMatchObject({ attempt: 1, followsStalled: false });
    await stall(id);
    expect(await next()).toMatchObject({ attempt: 2, followsStalled: true });
    await consumer.close();
    await backend.close();
    await theirs.close();
  });
});
