import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import type { RedisClient } from "../../src/bullmq-internals/index.ts";
import { LeaseCommand } from "../../src/bullmq-internals/lease-command.ts";
import { ScriptInterceptor } from "../../src/bullmq-internals/script-interceptor.ts";
import { connectionTo, expectUnchanged, majors, plainQueue } from "../support/each-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

describe.skipIf(redis === undefined).each(majors)(
  "the command with which BullMQ $version leases a job",
  ({ version, bullmq }) => {
    /** Lets BullMQ make the command for a first lease, with the token "t1". */
    async function leaseFirst() {
      const plain = await plainQueue(redis, bullmq);
      const shared = new bullmq.RedisConnection(connectionTo(redis));
      const client = (await shared.client) as unknown as RedisClient;
      const clock = { offsetMs: 0, now: () => 1_700_000_000_000 };
      const interceptor = new ScriptInterceptor(client, clock);
      const connection = interceptor.client as never;
      const worker = new bullmq.Worker(plain.queue.name, null, { connection, autorun: false });
      worker.on("error", () => {});
      await plain.queue.add("first", {});
      await worker.getNextJob("t1", { block: false });
      const { lastLease } = interceptor;
      if (lastLease === undefined) throw new Error("BullMQ has leased no job");
      const close = async (): Promise<void> => {
        await worker.close(true);
        await shared.close();
        await plain[Symbol.asyncDispose]();
      };
      const command = new LeaseCommand(...lastLease, "t1");
      return { plain, interceptor, command, lastLease, [Symbol.asyncDispose]: close };
    }

    it("leases the next job with another token, at the time of Redis", async () => {
      await using leased = await leaseFirst();
      const { plain, interceptor, command } = leased;
      const { id = "" } = await plain.queue.add("second", { a: 1 });
      expect(command.isRepeatableWith("t2")).toBe(true);
      const [data, leasedId] = (await interceptor.lease(command, "t2")) as [Record<string, unknown>, string];
      expectUnchanged(version, "the answer to a lease", [data.name, leasedId], ["second", id]);
      expect(await plain.client.get(plain.key(`${id}:lock`))).toBe("t2");
      expect((await plain.client.hgetall(plain.key(id))).processedOn).toBe("1700000000000");
    });

    it("answers without a job when there is none", async () => {
      await using leased = await leaseFirst();
      const { interceptor, command } = leased;
      const [data] = (await interceptor.lease(command, "t2")) as [unknown];
      expectUnchanged(version, "the answer to a lease without a job", data, null);
      expect(interceptor.nextDueMs).toBeUndefined();
    });

    it("stays as it is for one token when it is repeated with another", async () => {
      await using leased = await leaseFirst();
      const { command } = leased;
      const values = command.valuesFor("t2", 1);
      command.valuesFor("t3", 2);
      expect(String(values.at(-1))).toContain("t2");
      expect(values.at(-2)).toBe(1);
    });

    it("is not repeated with a token of another length, nor after a lease with another token", async () => {
      await using leased = await leaseFirst();
      const { command, lastLease } = leased;
      expect(command.isRepeatableWith("t10")).toBe(false);
      expect(new LeaseCommand(...lastLease, "t9").isRepeatableWith("t2")).toBe(false);
    });
  },
);
