import { defineJob, PayloadError } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bullmqVersions, importOn } from "../support/on-bullmq.ts";
import { watchedLink } from "../support/watched-link.ts";

const runner = new ObservedJobRunner();
let redis: Awaited<ReturnType<typeof startRedis>>;
let queue: string;
let theirs: Queue;

/** Commands of Redis with which the tests look at the server. */
interface Admin {
  config(...words: string[]): Promise<unknown>;
  info(section: string): Promise<string>;
  del(key: string): Promise<number>;
}

const admin = async (): Promise<Admin> => (await theirs.client) as unknown as Admin;

/** Resolves to how many scripts were run since the statistics were reset. */
async function scriptCalls(client: Admin): Promise<number> {
  const calls = (await client.info("commandstats")).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g);
  return [...calls].reduce((sum, [, count]) => sum + Number(count), 0);
}

beforeAll(async () => {
  redis = await startRedis();
});

beforeEach(() => {
  queue = `at-once-${crypto.randomUUID()}`;
  theirs = new Queue(`${queue}.numbered`, { connection: { url: redis.url } });
});

afterEach(() => theirs.close());

afterAll(() => redis.stop());

const soon = { timeout: 60_000 };

for (const version of bullmqVersions) {
  describe(`enqueues of one turn on BullMQ ${version}`, async () => {
    const { bullmqEngine } = await importOn(version);
    const open = (port = redis.port) =>
      bullmqEngine({ runner, connection: { host: "127.0.0.1", port }, queue, onError() {} });
    const job = defineJob<number>({ name: "numbered", run() {} });

    it("share commands, and each gets the id of its own job", async () => {
      await using engine = await open();
      await engine.enqueue(job, -1);
      const client = await admin();
      await client.config("RESETSTAT");
      const numbers = Array.from({ length: 1_200 }, (_, index) => index);
      const enqueued = await Promise.all(numbers.map((number) => engine.enqueue(job, number)));
      expect(await scriptCalls(client)).toBeLessThan(50);
      expect(new Set(enqueued.map(({ id }) => id)).size).toBe(numbers.length);
      expect(enqueued.some(({ isDuplicate }) => isDuplicate)).toBe(false);
      for (const number of [0, 1, 499, 500, 1_199]) {
        const stored = await engine.job(enqueued[number]?.id ?? "", { withPayload: true });
        expect(stored?.payload).toBe(number);
      }
      expect((await engine.stats()).waiting).toBe(1 + numbers.length);
    }, 60_000);

    it("go in two commands if Redis has none to work on", async () => {
      await using engine = await open();
      await engine.enqueue(job, -1);
      const client = await admin();
      const commandsOf20 = async (): Promise<number> => {
        await client.config("RESETSTAT");
        await Promise.all(Array.from({ length: 20 }, (_, index) => engine.enqueue(job, index)));
        return scriptCalls(client);
      };
      // The engine runs scripts of its own every few seconds.
      await expect.poll(commandsOf20, soon).toBe(2);
    });

    it("are stored in the order of the calls, whatever their options", async () => {
      await using engine = await open();
      const seen: number[] = [];
      const observed = defineJob<number>({ name: "numbered", run: (number) => void seen.push(number) });
      await engine.enqueue(observed, 0);
      await Promise.all([
        engine.enqueue(observed, 1),
        engine.enqueue(observed, 2),
        engine.enqueue(observed, 3, { maxAttempts: 2 }),
        engine.enqueue(observed, 4),
        engine.enqueue(observed, 5, { idempotencyKey: "five" }),
        engine.enqueue(observed, 6),
        engine.enqueueMany(observed, [7, 8]),
        engine.enqueue(observed, 9),
        engine.enqueue(observed, 10, { uniqueKey: "ten" }),
        engine.enqueue(observed, 11, { bullmq: { keepLogs: 1 } }),
        engine.enqueue(observed, 12, { maxAttempts: 2 }),
        engine.enqueue(observed, 13),
      ]);
      await engine.work({ jobs: [observed], concurrency: 1 });
      await expect.poll(() => seen.length, soon).toBe(14);
      expect(seen).toEqual(Array.from({ length: 14 }, (_, index) => index));
    }, 90_000);

    it("tell each call its own duplicate", async () => {
      await using engine = await open();
      const calls = [
        engine.enqueue(job, 1),
        engine.enqueue(job, 2, { idempotencyKey: "key" }),
        engine.enqueue(job, 3, { idempotencyKey: "key" }),
        engine.enqueue(job, 4, { uniqueKey: "key" }),
        engine.enqueue(job, 5, { uniqueKey: "key" }),
        engine.enqueue(job, 6),
      ];
      const enqueued = await Promise.all(calls);
      expect(enqueued.map(({ isDuplicate }) => isDuplicate)).toEqual([
        false,
        false,
        true,
        false,
        true,
        false,
      ]);
      expect(enqueued[2]?.id).toBe(enqueued[1]?.id);
      expect(enqueued[4]?.id).toBe(enqueued[3]?.id);
      const payloads = await Promise.all(
        enqueued.map(async ({ id }) => (await engine.job(id, { withPayload: true }))?.payload),
      );
      expect(payloads).toEqual([1, 2, 2, 4, 4, 6]);
    });

    it("fail alone if their own payload or option is refused", async () => {
      await using engine = await open();
      const results = await Promise.allSettled([
        engine.enqueue(job, 1),
        engine.enqueue(job, Number.NaN),
        engine.enqueue(job, 2),
        engine.enqueue(job, 3, { bullmq: { parent: { id: "none", queue: "bull:none" } } }),
        engine.enqueue(job, 4),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        "fulfilled",
        "rejected",
        "fulfilled",
        "rejected",
        "fulfilled",
      ]);
      expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(PayloadError);
      expect(String((results[3] as PromiseRejectedResult).reason)).toMatch(/Missing key for parent job/);
      expect((await engine.stats()).waiting).toBe(3);
    });

    it("all fail and store nothing if Redis takes none, and later ones are stored", async () => {
      await using engine = await open();
      await engine.enqueue(job, 0);
      const client = await admin();
      await client.config("SET", "maxmemory", "1");
      const refused = await Promise.allSettled([1, 2, 3].map((number) => engine.enqueue(job, number)));
      await client.config("SET", "maxmemory", "0");
      for (const each of refused) expect(String((each as PromiseRejectedResult).reason)).toMatch(/OOM/);
      await engine.enqueue(job, 4);
      expect((await engine.stats()).waiting).toBe(2);
    });

    it("are stored once if the answer is lost", async () => {
      const link = await watchedLink(redis.port);
      try {
        await using engine = await open(link.port);
        const text = defineJob<string>({ name: "numbered", run() {} });
        await Promise.all([engine.enqueue(text, "warm"), engine.enqueue(text, "up")]);
        await engine.enqueue(text, "warm", { idempotencyKey: "warm" });
        link.loseAnswerTo("lost");
        const enqueued = await Promise.all(["lost", "b", "c"].map((each) => engine.enqueue(text, each)));
        link.loseAnswerTo("keyed");
        const keyed = await engine.enqueue(text, "keyed", { idempotencyKey: "key" });
        expect([...enqueued, keyed].map(({ isDuplicate }) => isDuplicate)).toEqual([
          false,
          false,
          false,
          false,
        ]);
        expect((await engine.stats()).waiting).toBe(7);
      } finally {
        await link.close();
      }
    }, 60_000);

    it("say that a job is a duplicate if the key of a cancelled job ends right after it was enqueued", async () => {
      const link = await watchedLink(redis.port);
      try {
        await using engine = await open(link.port);
        const options = { idempotencyKey: "key" };
        const { id } = await engine.enqueue(job, 1, options);
        await engine.cancel(id);
        const client = await admin();
        let ended = 0;
        link.holdAnswerTo('"nonce":', async () => {
          ended = await client.del(theirs.toKey(id));
        });
        expect(await engine.enqueue(job, 2, options)).toEqual({ id, isDuplicate: true });
        expect(ended).toBe(1);
        expect(await engine.enqueue(job, 3, options)).toEqual({ id, isDuplicate: false });
        expect((await engine.job(id, { withPayload: true }))?.payload).toBe(3);
      } finally {
        await link.close();
      }
    });

    it.each([{}, { priority: 3 }, { maxAttempts: 1, retainMs: 0 }, { idempotencyKey: "key" }])(
      "are stored with the same fields, one by one and together: %o",
      async (options) => {
        await using engine = await open();
        const keyed = (number: number): object =>
          "idempotencyKey" in options ? { idempotencyKey: `key-${number}` } : options;
        const ids = [await engine.enqueue(job, 7, keyed(0))].map(({ id }) => id);
        const before = Date.now();
        ids.push((await engine.enqueue(job, 7, keyed(1))).id);
        for (const { id } of await Promise.all([2, 3].map((number) => engine.enqueue(job, 7, keyed(number)))))
          ids.push(id);
        const after = Date.now();
        const stored = await Promise.all(ids.map(async (id) => (await theirs.getJob(id))?.asJSON()));
        for (const [index, each] of stored.entries()) {
          const id = ids[index];
          const own = {
            id,
            timestamp: expect.any(Number) as number,
            opts: { ...Object(stored[0]?.opts), jobId: id },
          };
          if ("idempotencyKey" in options) Object.assign(own, { data: expect.any(String) });
          expect(each).toEqual({ ...stored[0], ...own });
          if (index === 0) continue;
          expect(each?.timestamp).toBeGreaterThanOrEqual(before);
          expect(each?.timestamp).toBeLessThanOrEqual(after);
        }
      },
    );
  });
}
