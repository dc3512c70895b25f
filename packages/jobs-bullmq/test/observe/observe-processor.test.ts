import { setTimeout as pause } from "node:timers/promises";
import {
  type JobObserver,
  type ObservedJobContext,
  ObservedJobRunner,
  type SettledJobContext,
} from "@nidus/jobs-observe";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
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

afterAll(() => redis?.stop());

/** An ordinary BullMQ program: a queue, a worker, and what became of its jobs. */
async function program(
  { Queue, Worker }: typeof bullmq5,
  processor: bullmq5.Processor,
  options: Partial<bullmq5.WorkerOptions> = {},
) {
  const name = `program-${crypto.randomUUID()}`;
  const queue = new Queue(name, { connection });
  const worker = new Worker(name, processor, { connection, ...options });
  const completed: unknown[] = [];
  const failed: unknown[] = [];
  worker.on("completed", (_, result) => completed.push(result));
  worker.on("failed", (_, error) => failed.push(error));
  worker.on("error", () => {});
  return {
    queue,
    worker,
    completed,
    failed,
    async [Symbol.asyncDispose]() {
      await worker.close();
      await queue.close();
    },
  };
}

function observed(): { runner: ObservedJobRunner; seen: string[]; settled: SettledJobContext[] } {
  const seen: string[] = [];
  const settled: SettledJobContext[] = [];
  const observer: JobObserver = {
    onJobStarted: ({ jobName, delivery }) => void seen.push(`${jobName} started ${delivery?.attempt}`),
    onJobFinished: ({ jobName }, status) => void seen.push(`${jobName} ${status}`),
    onJobSettled: (context) => void settled.push(context),
  };
  return { runner: new ObservedJobRunner(observer), seen, settled };
}

const versions = {
  "5.0": bullmq50 as unknown as typeof bullmq5,
  5: bullmq5,
  6: bullmq6 as unknown as typeof bullmq5,
};

for (const [version, bullmq] of Object.entries(versions)) {
  describe.skipIf(redis === undefined)(`observeBullmqProcessor on BullMQ ${version}`, () => {
    it("adds the observation to a program in one line, and changes nothing else", async () => {
      const { runner, seen, settled } = observed();
      const processor = async (job: bullmq5.Job): Promise<string> => {
        if (job.data.to === "nobody" && job.attemptsMade === 0) throw new RangeError("no such user");
        return `sent to ${job.data.to}`;
      };
      await using running = await program(bullmq, observeBullmqProcessor(runner, processor));
      await running.queue.add("send", { to: "ada" });
      await running.queue.add("send", { to: "nobody" }, { attempts: 2 });
      await expect.poll(() => running.completed).toEqual(["sent to ada", "sent to nobody"]);
      expect(running.failed).toEqual([new RangeError("no such user")]);
      expect(running.failed[0]).toBeInstanceOf(RangeError);
      expect(seen.sort()).toEqual(
        ["started 1", "started 1", "started 2", "success", "success", "failure"]
          .map((each) => `${running.queue.name} ${each}`)
          .sort(),
      );
      expect(settled.map(({ outcome }) => outcome).sort()).toEqual(["retried", "succeeded", "succeeded"]);
      expect(settled[0]?.delivery).toMatchObject({ engine: "bullmq", queue: running.queue.name });
    });

    it("tells a final failure from one that is tried again", async () => {
      const { runner, settled } = observed();
      const processor = async (job: bullmq5.Job): Promise<void> => {
        throw job.name === "unrecoverable" ? new bullmq.UnrecoverableError("never") : new Error("always");
      };
      const jobName = ({ name }: bullmq5.Job): string => name;
      await using running = await program(bullmq, observeBullmqProcessor(runner, processor, { jobName }));
      await running.queue.add("fails", {}, { attempts: 2 });
      await running.queue.add("unrecoverable", {}, { attempts: 2 });
      await expect.poll(() => settled.length).toBe(3);
      expect(settled.map(({ jobName, outcome }) => `${jobName} ${outcome}`).sort()).toEqual([
        "fails dead-lettered",
        "fails retried",
        "unrecoverable dead-lettered",
      ]);
    });

    // BullMQ 5.0 has no signals.
    const itWithSignals = version === "5.0" ? it.skip : it;
    itWithSignals(
      "hands over the token and the signal that BullMQ gives, if the processor asks for one",
      async () => {
        const { runner, seen } = observed();
        const given: unknown[] = [];
        const processor = async (_job: bullmq5.Job, token?: string, signal?: AbortSignal): Promise<void> => {
          given.push(typeof token, signal instanceof AbortSignal);
          await new Promise((_resolve, reject) =>
            signal?.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError"))),
          );
        };
        const wrapped = observeBullmqProcessor(runner, processor);
        expect(wrapped.length).toBe(3);
        expect(observeBullmqProcessor(runner, async () => {}).length).toBeLessThan(3);
        await using running = await program(bullmq, wrapped);
        const job = await running.queue.add("long", {});
        await expect.poll(() => given).toEqual(["string", true]);
        await expect.poll(() => running.worker.cancelJob(job.id as string)).toBe(true);
        const { name } = running.queue;
        await expect.poll(() => seen).toEqual([`${name} started 1`, `${name} cancelled`]);
        await expect.poll(() => running.failed.length).toBe(1);
      },
    );

    it("takes the errors with which a processor moves its job for no failures", async () => {
      const { runner, seen, settled } = observed();
      let runs = 0;
      const processor = async (job: bullmq5.Job, token?: string): Promise<string> => {
        if (++runs > 1) return "done";
        await job.moveToDelayed(Date.now() + 50, token);
        throw new bullmq.DelayedError();
      };
      await using running = await program(bullmq, observeBullmqProcessor(runner, processor));
      await running.queue.add("moves", {});
      await expect.poll(() => running.completed).toEqual(["done"]);
      expect(running.failed).toEqual([]);
      expect(seen.filter((each) => each.includes("failure"))).toEqual([]);
      expect(settled.map(({ outcome }) => outcome)).toEqual(["succeeded"]);
    });

    it("observes jobs under the name of their queue, and keeps their own names as attributes", async () => {
      const runs: ObservedJobContext[] = [];
      const heard: string[] = [];
      const runner = new ObservedJobRunner({
        onJobFinished: (context) => void runs.push(context),
        onJobSettled: ({ jobName }) => void heard.push(jobName),
      });
      await using running = await program(
        bullmq,
        observeBullmqProcessor(runner.context("tenant", "acme"), async () => {}),
      );
      await running.queue.add("mail for ada@example.org", {});
      await running.queue.add("mail for grace@example.org", {});
      const { name } = running.queue;
      await expect.poll(() => heard).toEqual([name, name]);
      expect(runs.map(({ jobName }) => jobName)).toEqual([name, name]);
      expect(runs.map(({ attributes }) => attributes)).toEqual([
        { tenant: "acme", "bullmq.job.name": "mail for ada@example.org" },
        { tenant: "acme", "bullmq.job.name": "mail for grace@example.org" },
      ]);
    });

    it("observes jobs under the name that the option returns, and under their queue's name if it fails", async () => {
      const { runner, seen, settled } = observed();
      const jobName = ({ name }: bullmq5.Job): string => {
        if (name === "throws") throw new Error("no name");
        return name === "returns nothing" ? "" : name.replace(/-\d+$/, "");
      };
      const processor = observeBullmqProcessor(runner, async () => "done", { jobName });
      await using running = await program(bullmq, processor);
      for (const name of ["send-17", "send-18", "throws", "returns nothing"]) {
        await running.queue.add(name, {});
      }
      const { name } = running.queue;
      await expect.poll(() => running.completed.length).toBe(4);
      expect(seen.filter((each) => each.endsWith("success"))).toEqual(
        ["send", "send", name, name].map((each) => `${each} success`),
      );
      await expect.poll(() => settled.map(({ jobName }) => jobName)).toEqual(["send", "send", name, name]);
    });

    it("brings the waits of jobs into the metrics", async () => {
      const observer = prometheusJobObserver();
      const wrapped = observeBullmqProcessor(new ObservedJobRunner(observer), () => pause(1));
      await using running = await program(bullmq, wrapped);
      await running.queue.add("measured", {});
      await expect.poll(() => running.completed.length).toBe(1);
      const text = await observer.metrics();
      const { name } = running.queue;
      expect(text).toContain(`nidus_jobs_finished_total{job_name="${name}",status="success"} 1`);
      expect(text).toContain(`nidus_job_wait_seconds_count{job_name="${name}"} 1`);
    });
  });
}

describe("observeBullmqProcessor", () => {
  it("refuses options that are unknown or wrong", () => {
    const { runner } = observed();
    const processor = async (): Promise<void> => {};
    expect(() => observeBullmqProcessor(runner, processor, { name: "mails" } as never)).toThrow(
      'unknown option "name" in the options of observeBullmqProcessor: expected `jobName`',
    );
    expect(() => observeBullmqProcessor(runner, processor, { jobName: "mails" as never })).toThrow(
      'expected `jobName` to be a function, got "mails"',
    );
  });

  it.each([undefined, {}, { runAsync() {} }])(
    "refuses the runner %o, without which every job would fail",
    (runner) => {
      expect(() => observeBullmqProcessor(runner as never, async () => {})).toThrow(
        "expected `runner.settled`",
      );
    },
  );

  it("says of a sandboxed processor that it is not supported", () => {
    const { runner } = observed();
    expect(() => observeBullmqProcessor(runner, "processor.js" as never)).toThrow(/sandboxed processors/);
    expect(() => observeBullmqProcessor(runner, new URL("file:///processor.js") as never)).toThrow(TypeError);
  });
});
