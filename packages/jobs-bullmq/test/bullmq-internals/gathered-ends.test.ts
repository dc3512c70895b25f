import type { Job } from "bullmq";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { isLeaseLost, isRefusedScript, type RedisClient } from "../../src/bullmq-internals/index.ts";
import { ScriptInterceptor } from "../../src/bullmq-internals/script-interceptor.ts";
import { connectionTo, expectUnchanged, majors, plainQueue } from "../support/each-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

describe.skipIf(redis === undefined).each(majors)(
  "jobs of BullMQ $version that succeed at once",
  ({ version, bullmq }) => {
    /** Leases jobs of queues to workers whose commands are watched, in turn. */
    async function lease(count: number, queues = 1) {
      const plains = await Promise.all(Array.from({ length: queues }, () => plainQueue(redis, bullmq)));
      const [plain] = plains as [(typeof plains)[number]];
      const shared = new bullmq.RedisConnection(connectionTo(redis));
      const client = (await shared.client) as unknown as RedisClient;
      const commands: string[] = [];
      const runCommand = (name: string, values: readonly unknown[]): Promise<unknown> => {
        commands.push(name.split(":")[0] as string);
        return client.runCommand(name, values);
      };
      const watched = new Proxy(client, {
        get: (target, key) => (key === "runCommand" ? runCommand : Reflect.get(target, key, target)),
      });
      const clock = { offsetMs: 0, now: () => Date.now() };
      const workers = plains.map(({ queue }) => {
        const connection = new ScriptInterceptor(watched, clock).client as never;
        return new bullmq.Worker(queue.name, null, { connection, autorun: false }).on("error", () => {});
      });
      const jobs: Job[] = [];
      for (let n = 0; n < count; n++) {
        await plains[n % queues]?.queue.add("job", { n });
        jobs.push((await workers[n % queues]?.getNextJob(`t${n}`, { block: false })) as unknown as Job);
      }
      commands.length = 0;
      const close = async (): Promise<void> => {
        for (const worker of workers) await worker.close(true);
        await shared.close();
        for (const each of plains) await each[Symbol.asyncDispose]();
      };
      return { plain, plains, jobs, commands, [Symbol.asyncDispose]: close };
    }

    const complete = (jobs: readonly Job[]): Promise<unknown>[] =>
      jobs.map((job, n) => job.moveToCompleted(`result ${n}`, `t${n}`, true));

    it("share a command, at most eight of them, and each gets its next job with its own token", async () => {
      await using leased = await lease(10);
      const { plain, jobs, commands } = leased;
      const { queue, client, key } = plain;
      await queue.addBulk(jobs.map((_, n) => ({ name: "next", data: {}, opts: { jobId: `next-${n}` } })));
      const answers = (await Promise.all(complete(jobs))) as (readonly [object, string])[];
      expectUnchanged(version, "the command that ends a job", commands, ["nidusEnd", "nidusEnd"]);
      expect(answers.map(([, id]) => id)).toEqual(jobs.map((_, n) => `next-${n}`));
      for (const [n, { id }] of jobs.entries()) {
        expect(await client.get(key(`next-${n}:lock`))).toBe(`t${n}`);
        expect(await client.hgetall(key(id as string))).toMatchObject({ returnvalue: `"result ${n}"` });
      }
      expect(await client.zrange(key("completed"), 0, -1)).toHaveLength(10);
    });

    it("share a command whatever their queues, and each gets the next job of its own queue", async () => {
      await using leased = await lease(7, 3);
      const { plains, jobs, commands } = leased;
      for (const [n, { queue }] of plains.entries()) {
        await queue.addBulk(
          [1, 2, 3].map((m) => ({ name: "next", data: {}, opts: { jobId: `next-${n}-${m}` } })),
        );
      }
      const answers = (await Promise.all(complete(jobs))) as (readonly [object, string])[];
      expectUnchanged(version, "the command that ends a job", commands, ["nidusEnd"]);
      const [first, second, third] = [1, 2, 3].map((m) => plains.map((_, n) => `next-${n}-${m}`));
      expect(answers.map(([, id]) => id)).toEqual([...(first ?? []), ...(second ?? []), third?.[0]]);
      for (const [n, { id }] of jobs.entries()) {
        const { client, key } = plains[n % 3] as (typeof plains)[number];
        expect(await client.hgetall(key(id as string))).toMatchObject({ returnvalue: `"result ${n}"` });
        expect(await client.zscore(key("completed"), id as string)).not.toBeNull();
        expect(await client.get(key(`${answers[n]?.[1]}:lock`))).toBe(`t${n}`);
      }
      for (const [n, { client, key }] of plains.entries()) {
        expect(await client.zrange(key("completed"), 0, -1)).toHaveLength(n === 0 ? 3 : 2);
        expect(await client.lrange(key("active"), 0, -1)).toHaveLength(n === 0 ? 3 : 2);
      }
    });

    it("are recorded each for itself, though one has lost its lease and Redis refuses another", async () => {
      await using leased = await lease(4);
      const { plain, jobs, commands } = leased;
      const { client, key } = plain;
      const [lost, refused, ...kept] = jobs.map(({ id }) => id as string) as [string, string, ...string[]];
      await client.set(key(`${lost}:lock`), "another worker");
      await client.hset(key(refused), { atm: "no number" });
      const ends = await Promise.allSettled(complete(jobs));
      expect(commands).toEqual(["nidusEnd"]);
      expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled"]);
      const [ofLost, ofRefused] = ends as PromiseRejectedResult[];
      expect(isLeaseLost(ofLost?.reason)).toBe(true);
      expect(isRefusedScript(ofRefused?.reason)).toBe(true);
      expect(await client.zrange(key("completed"), 0, -1)).toEqual(expect.arrayContaining(kept));
      expect(await client.zscore(key("completed"), lost)).toBeNull();
    });

    it("have BullMQ's own command if there is one alone", async () => {
      await using leased = await lease(1);
      const { jobs, commands } = leased;
      await Promise.all(complete(jobs));
      expect(commands).toEqual(["moveToFinished"]);
    });
  },
);
