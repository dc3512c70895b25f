import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { Queue } from "bullmq";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import type { bullmqEngine as Open } from "../../src/index.ts";
import { bullmqVersions, importOn } from "../support/on-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

for (const version of bullmqVersions) {
  describe.skipIf(redis === undefined)(`the option \`bullmq\` on BullMQ ${version}`, async () => {
    const { bullmqEngine } = await importOn(version);
    const connection = { url: redis?.url ?? "redis://localhost" };
    const open = (queue: string): ReturnType<typeof Open> =>
      bullmqEngine({ runner: new ObservedJobRunner(), connection, queue });

    it("lets a job start before the others", async () => {
      await using engine = await open(`options-${crypto.randomUUID()}`);
      const started: string[] = [];
      const job = defineJob<string>({ name: "lifo", run: (payload) => void started.push(payload) });
      await engine.enqueueMany(job, ["a", "b"]);
      await engine.enqueue(job, "c", { bullmq: { lifo: true } });
      await engine.work({ jobs: [job], concurrency: 1 });
      await expect.poll(() => started).toEqual(["c", "a", "b"]);
    });

    it("ties a job to a parent of another program", async () => {
      const queue = `options-${crypto.randomUUID()}`;
      await using engine = await open(queue);
      const theirs = new Queue(`${queue}.parents`, { connection });
      await theirs.waitUntilReady();
      const parent = await theirs.add("parent", {}, { jobId: "parent" });
      const job = defineJob<string>({ name: "child", run() {} });
      const { id } = await engine.enqueue(job, "a", {
        bullmq: { parent: { id: "parent", queue: theirs.qualifiedName }, keepLogs: 5 },
      });
      const dependencies = await parent.getDependenciesCount();
      expect(dependencies.unprocessed).toBe(1);
      expect(id).toMatch(/^[0-9a-f-]{36}$/);
      await theirs.close();
    });

    it.each<[object | string, string]>([
      [{ priority: 5 }, "`bullmq.priority` is not yours to set: use `priority`"],
      [{ jobId: "a" }, "`bullmq.jobId` is not yours to set: use `idempotencyKey`"],
      [{ deduplication: { id: "a" } }, "`bullmq.deduplication` is not yours to set: use `uniqueKey`"],
      [{ delay: 5 }, "`bullmq.delay` is not yours to set: use `runAt`"],
      [{ removeOnFail: true }, "`bullmq.removeOnFail` is not yours to set"],
      [{ fifo: true }, 'unknown option "fifo" in `bullmq`: expected `lifo`'],
      [{ lifo: "yes" }, "expected `bullmq.lifo` to be a boolean"],
      [{ parent: { id: "a" } }, "expected `bullmq.parent.queue` to be a non-empty string"],
      ["lifo", "expected `bullmq` to be an object"],
    ])("refuses %o", async (options, message) => {
      await using engine = await open(`options-${crypto.randomUUID()}`);
      const job = defineJob({ name: "refused", run() {} });
      const call = engine.enqueue(job, undefined, { bullmq: options as object });
      await expect(call).rejects.toThrow(message);
      await expect(call).rejects.toThrow(TypeError);
    });

    it("leaves priorities and unique keys to the options of every engine", async () => {
      const queue = `options-${crypto.randomUUID()}`;
      await using engine = await open(queue);
      const job = defineJob<string>({ name: "native", priority: 4, run() {} });
      const { id } = await engine.enqueue(job, "a", { uniqueKey: "k", uniqueForMs: 60_000, retainMs: 5_000 });
      const theirs = new Queue(`${queue}.native`, { connection });
      const stored = await theirs.getJob(id);
      expect(stored?.opts).toMatchObject({ priority: 4, removeOnComplete: { age: 5 } });
      expect(stored?.deduplicationId).toBe("k");
      await theirs.close();
    });
  });
}
