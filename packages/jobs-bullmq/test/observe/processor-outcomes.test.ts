import { ObservedJobRunner, type SettledJobContext } from "@nidus/jobs-observe";
import * as bullmq5 from "bullmq";
import * as bullmq50 from "bullmq-5-0";
import * as bullmq6 from "bullmq-6";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { observeBullmqProcessor } from "../../src/index.ts";

const redis = await sharedRedis();
const { hostname: host, port } = new URL(redis?.url ?? "redis://127.0.0.1");
// BullMQ 5.0 takes no URL.
const connection = { host, port: Number(port) };
const withinMs = { timeout: 120_000 };

afterAll(() => redis?.stop());

/** A runner, and the settlements that its observers hear of. */
function listening() {
  const heard: SettledJobContext[] = [];
  const runner = new ObservedJobRunner({ onJobSettled: (context) => void heard.push(context) });
  const of = (name: string): string[] =>
    heard
      .filter(({ jobName }) => jobName === name)
      .map(({ outcome, delivery }) => `${outcome} ${delivery.attempt}/${delivery.maxAttempts}`);
  return { heard, runner, of };
}

/** Wraps a processor. These tests tell jobs apart by their own names. */
function observeByName(runner: ObservedJobRunner, processor: (job: bullmq5.Job) => Promise<unknown>) {
  return observeBullmqProcessor(runner, processor, { jobName: ({ name }) => name });
}

/** A queue and workers on it, which end with the test. */
function program({ Queue, Worker }: typeof bullmq5) {
  const queue = new Queue(`outcomes-${crypto.randomUUID()}`, { connection });
  const workers: bullmq5.Worker[] = [];
  return {
    queue,
    work(processor: bullmq5.Processor, options: Partial<bullmq5.WorkerOptions> = {}): bullmq5.Worker {
      const worker = new Worker(queue.name, processor, { connection, ...options });
      worker.on("error", () => {});
      workers.push(worker);
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.close(true)));
      await queue.close();
    },
  };
}

const versions = {
  "5.0": bullmq50 as unknown as typeof bullmq5,
  5: bullmq5,
  6: bullmq6 as unknown as typeof bullmq5,
};

for (const [version, bullmq] of Object.entries(versions)) {
  describe.skipIf(redis === undefined)(`outcomes of a wrapped processor on BullMQ ${version}`, () => {
    it("are those that BullMQ decides on", withinMs, async () => {
      const { runner, of, heard } = listening();
      await using running = program(bullmq);
      const recorded: Record<string, string[]> = {};
      const processor = observeByName(runner, async (job) => {
        if (job.name === "discards") (job as { discard?: () => void }).discard?.();
        if (job.name === "is unrecoverable") throw new bullmq.UnrecoverableError("never");
        if (job.name !== "succeeds") throw new Error("again");
      });
      const worker = running.work(processor, {
        concurrency: 5,
        settings: { backoffStrategy: (attempt?: number) => ((attempt ?? 0) >= 2 ? -1 : 1) },
      });
      const note = (job: bullmq5.Job | undefined, outcome: string): void => {
        if (job === undefined) return;
        recorded[job.name] ??= [];
        recorded[job.name]?.push(`${outcome} ${job.attemptsMade}/${job.opts.attempts || 1}`);
      };
      worker.on("completed", (job) => note(job, "succeeded"));
      worker.on("failed", (job) => note(job, job?.finishedOn ? "dead-lettered" : "retried"));
      await running.queue.add("succeeds", {});
      await running.queue.add("discards", {}, { attempts: 3 });
      await running.queue.add("is unrecoverable", {}, { attempts: 3 });
      await running.queue.add("is told to stop", {}, { attempts: 5, backoff: { type: "custom" } });
      await running.queue.add("fails", {}, { attempts: 2 });
      await running.queue.add("says no attempts", {});
      const ends = (): number => heard.filter(({ outcome }) => outcome !== "retried").length;
      await expect.poll(ends, withinMs).toBe(6);
      expect(of("is told to stop")).toEqual(["retried 1/5", "dead-lettered 2/5"]);
      expect(of("fails")).toEqual(["retried 1/2", "dead-lettered 2/2"]);
      expect(of("is unrecoverable")).toEqual(["dead-lettered 1/3"]);
      expect(of("says no attempts")).toEqual(["dead-lettered 1/1"]);
      // BullMQ itself is the judge: its attemptsMade is that of a completed job in some versions before, in others after the run.
      for (const name of Object.keys(recorded)) {
        const states = (each: string[] = []) => each.map((text) => text.split(" ")[0]);
        expect(states(of(name)), name).toEqual(states(recorded[name]));
      }
    });

    it("are not told before BullMQ has recorded them", withinMs, async () => {
      const { runner, heard } = listening();
      await using running = program(bullmq);
      const states: unknown[] = [];
      const job = new Promise<bullmq5.Job>((resolve) => {
        running.work(
          observeByName(runner, async (running) => {
            states.push(heard.length);
            resolve(running);
          }),
        );
      });
      await running.queue.add("recorded", {});
      await expect.poll(() => heard.map(({ outcome }) => outcome), withinMs).toEqual(["succeeded"]);
      expect(states).toEqual([0]);
      expect(await running.queue.getJobState((await job).id as string)).toBe("completed");
    });

    it("count a flow's parent as waiting from the end of its children", withinMs, async () => {
      const { runner, heard } = listening();
      await using running = program(bullmq);
      let finish = (): void => {};
      const finished = new Promise<void>((resolve) => {
        finish = resolve;
      });
      running.work(
        observeByName(runner, async (job) => {
          if (job.name === "child") await finished;
        }),
      );
      const flows = new bullmq.FlowProducer({ connection });
      const { job: parent } = await flows.add({
        name: "parent",
        queueName: running.queue.name,
        children: [{ name: "child", queueName: running.queue.name }],
      });
      // The parent is older than what its wait may be told as, by far.
      await expect.poll(() => Date.now() - parent.timestamp, withinMs).toBeGreaterThan(1_000);
      const childEndsAt = Date.now();
      finish();
      await expect.poll(() => heard.length, withinMs).toBe(2);
      const delivery = heard.find(({ jobName }) => jobName === "parent")?.delivery;
      expect(delivery?.runAt.getTime()).toBeGreaterThanOrEqual(childEndsAt);
      await flows.close();
    });
  });
}

for (const [version, bullmq] of Object.entries({ 5: versions[5], 6: versions[6] })) {
  describe.skipIf(redis === undefined)(`stalled attempts of a wrapped processor on BullMQ ${version}`, () => {
    it("are told by the next delivery, and are no attempts", withinMs, async () => {
      const { runner, of, heard } = listening();
      await using running = program(bullmq);
      const options = { lockDuration: 300, stalledInterval: 100 };
      // The first worker takes the job, never renews its lock, and never ends.
      const taken = new Promise<void>((resolve) => {
        running.work(() => new Promise(() => resolve()), {
          ...options,
          skipLockRenewal: true,
          skipStalledCheck: true,
        });
      });
      await running.queue.add("stalls", {}, { attempts: 2 });
      await taken;
      let runs = 0;
      running.work(
        observeByName(runner, async () => {
          if (++runs === 1) throw new Error("the first run that ends fails");
        }),
        { ...options, lockDuration: 30_000 },
      );
      await expect.poll(() => heard.length, withinMs).toBe(3);
      expect(of("stalls")).toEqual(["stalled 1/2", "retried 1/2", "succeeded 2/2"]);
    });

    it(
      "are dead letters when BullMQ gives them up, although the processor is not called",
      withinMs,
      async () => {
        const { runner, of } = listening();
        await using running = program(bullmq);
        const taken = new Promise<void>((resolve) => {
          const dying = running.work(() => new Promise(() => resolve()), {
            lockDuration: 300,
            skipLockRenewal: true,
            skipStalledCheck: true,
          });
          dying.on("error", () => {});
        });
        await running.queue.add("given up", {});
        await taken;
        await running.queue.add("before", {}, { lifo: true });
        running.work(
          observeByName(runner, async () => {}),
          { stalledInterval: 300, maxStalledCount: 0 },
        );
        await expect.poll(() => of("given up"), withinMs).toEqual(["dead-lettered 1/1"]);
      },
    );
  });
}

describe("a wrapped processor in a sandbox", () => {
  it("has its outcomes by its attempts, since no worker is there to say more", async () => {
    const { runner, of } = listening();
    const processor = observeByName(runner, async (job) => {
      if (job.data !== "fine") throw new Error("not fine");
    });
    const job = (data: string, attemptsMade: number): bullmq5.Job =>
      ({
        name: "boxed",
        id: "1",
        queueName: "q",
        data,
        attemptsMade,
        timestamp: 1,
        opts: { attempts: 2 },
      }) as never;
    await processor(job("fine", 0));
    await expect(processor(job("ill", 0))).rejects.toThrow("not fine");
    await expect(processor(job("ill", 1))).rejects.toThrow("not fine");
    expect(of("boxed")).toEqual(["succeeded 1/2", "retried 1/2", "dead-lettered 2/2"]);
  });
});
