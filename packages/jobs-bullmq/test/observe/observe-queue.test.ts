import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { EngineUnavailableError } from "@nidus/jobs-durable";
import { ObservedJobRunner, type OpenedEngineContext } from "@nidus/jobs-observe";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import * as bullmq5 from "bullmq";
import * as bullmq50 from "bullmq-5-0";
import * as bullmq6 from "bullmq-6";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { observeBullmqQueue } from "../../src/index.ts";

const redis = await sharedRedis();
const { hostname: host, port } = new URL(redis?.url ?? "redis://127.0.0.1");
// BullMQ 5.0 takes no URL.
const connection = { host, port: Number(port) };

afterAll(() => redis?.stop());

/** Observes a queue. Returns how its runner reads it. */
function read(queue: bullmq5.Queue): OpenedEngineContext {
  const opened: OpenedEngineContext[] = [];
  const runner = new ObservedJobRunner({ onEngineOpened: (context) => void opened.push(context) });
  observeBullmqQueue(runner, queue);
  return opened[0] as OpenedEngineContext;
}

/** Opens a queue of one test, which is closed at its end. */
function openQueue({ Queue }: typeof bullmq5) {
  const queue = new Queue(`bare-${crypto.randomUUID()}`, { connection });
  return Object.assign(queue, { [Symbol.asyncDispose]: () => queue.close() });
}

const versions = {
  "5.0": bullmq50 as unknown as typeof bullmq5,
  5: bullmq5,
  6: bullmq6 as unknown as typeof bullmq5,
};

for (const [version, bullmq] of Object.entries(versions)) {
  describe.skipIf(redis === undefined)(`observeBullmqQueue on BullMQ ${version}`, () => {
    it("counts jobs that could run, each from the moment at which it could", async () => {
      await using queue = openQueue(bullmq);
      const store = read(queue);
      const jobName = queue.name;
      expect(await store.backlog()).toEqual([{ jobName, waiting: 0, oldestWaitingAt: undefined }]);

      const first = await queue.add("send", {});
      await queue.add("send", {});
      await queue.add("send", {}, { priority: 3 });
      await queue.add("send", {}, { delay: 3_600_000 });
      const oldestWaitingAt = new Date(first.timestamp);
      expect(await store.backlog()).toEqual([{ jobName, waiting: 3, oldestWaitingAt }]);

      await queue.pause();
      expect(await store.backlog()).toEqual([{ jobName, waiting: 3, oldestWaitingAt }]);
    });

    it("counts a delayed job that is due as waiting, although no worker has promoted it", async () => {
      await using queue = openQueue(bullmq);
      const store = read(queue);
      const { timestamp } = await queue.add("send", {}, { delay: 300 });
      await expect.poll(async () => (await store.backlog())?.[0]?.waiting).toBe(1);
      expect((await store.backlog())?.[0]?.oldestWaitingAt).toEqual(new Date(timestamp + 300));
    });

    it("counts a job that waits again from its last run, and not from its enqueue", async () => {
      await using queue = openQueue(bullmq);
      const store = read(queue);
      const worker = new bullmq.Worker(queue.name, null as never, { connection, autorun: false });
      worker.on("error", () => {});
      await queue.add("send", {}, { attempts: 2 });
      await pause(20);
      const job = (await worker.getNextJob("token", { block: false } as never)) as bullmq5.Job;
      const startedMs = job.processedOn as number;
      await job.moveToFailed(new Error("again"), "token");
      expect((await store.backlog())?.[0]).toMatchObject({
        waiting: 1,
        oldestWaitingAt: new Date(startedMs),
      });
      await worker.close(true);
    });

    it("counts failed jobs, and says since when", async () => {
      await using queue = openQueue(bullmq);
      const store = read(queue);
      const jobName = queue.name;
      expect(await store.deadLetters?.()).toEqual([{ jobName, count: 0, oldestAt: undefined }]);
      const failing = async (): Promise<void> => {
        throw new Error("always");
      };
      const worker = new bullmq.Worker(jobName, failing, { connection });
      worker.on("error", () => {});
      const jobs = [await queue.add("send", {}), await queue.add("send", {})];
      await expect.poll(async () => (await store.deadLetters?.())?.[0]?.count).toBe(2);
      const failed = await Promise.all(jobs.map(({ id }) => queue.getJob(id as string)));
      const oldestMs = Math.min(...failed.map((job) => job?.finishedOn as number));
      expect((await store.deadLetters?.())?.[0]?.oldestAt).toEqual(new Date(oldestMs));
      await worker.close();
    });

    it("says that Redis answers, and has nothing to read once the queue is closed", async () => {
      await using queue = openQueue(bullmq);
      const store = read(queue);
      expect(store.engine).toBe("bullmq");
      expect(await store.health?.()).toMatchObject({ engine: "bullmq", isReachable: true, workers: [] });
      await queue.close();
      expect(await store.backlog()).toBeUndefined();
      expect(await store.deadLetters?.()).toBeUndefined();
      expect(await store.health?.()).toBeUndefined();
    });

    it("brings the backlog into the metrics, under the name of the queue", async () => {
      await using queue = openQueue(bullmq);
      const observer = prometheusJobObserver();
      observeBullmqQueue(new ObservedJobRunner(observer), queue);
      await queue.add("send", {});
      const text = await observer.metrics();
      expect(text).toContain(`nidus_jobs_waiting{job_name="${queue.name}"} 1`);
      expect(text).toContain(`nidus_jobs_started_total{job_name="${queue.name}"} 0`);
    });

    it("does not wait for a Redis that does not answer", async () => {
      const sockets = new Set<Socket>();
      const silent = createServer((socket) => void sockets.add(socket)).listen(0, "127.0.0.1");
      await once(silent, "listening");
      const { port } = silent.address() as AddressInfo;
      const queue = new bullmq.Queue("silent", {
        connection: { host: "127.0.0.1", port, retryStrategy: () => null },
      });
      queue.on("error", () => {});
      const store = read(queue);
      const observer = prometheusJobObserver();
      observeBullmqQueue(new ObservedJobRunner(observer), queue);
      const metrics = observer.metrics();
      await expect(store.backlog()).rejects.toThrow(EngineUnavailableError);
      expect(await store.health?.()).toMatchObject({ isReachable: false });
      expect(await metrics).not.toContain('nidus_jobs_waiting{job_name="silent"}');
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
  });
}

describe("observeBullmqQueue", () => {
  it("refuses what is no queue", () => {
    const runner = new ObservedJobRunner();
    expect(() => observeBullmqQueue(runner, "mails" as never)).toThrow(
      'expected `queue` to be a BullMQ queue, got "mails"',
    );
    expect(() => observeBullmqQueue(runner, undefined as never)).toThrow(TypeError);
  });
});
