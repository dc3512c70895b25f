import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { recordingObserver } from "@nidus/jobs-testkit";
import { FlowProducer, Queue } from "bullmq";
import { startRedis } from "test-servers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bullmqEngine } from "../../src/index.ts";

let redis: Awaited<ReturnType<typeof startRedis>>;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

const fresh = (): string => `cancelling-${crypto.randomUUID()}`;

/** A client that can be held up after a number of commands: what comes then waits until `during` has resolved. */
async function interruptible(): Promise<{
  readonly client: never;
  interruptAfter(commands: number, during: () => Promise<void>): void;
  close(): Promise<void>;
}> {
  const owner = new Queue(fresh(), { connection: { url: redis.url, maxRetriesPerRequest: null } });
  const client = (await owner.client) as unknown as { sendCommand(...values: unknown[]): unknown };
  const send = client.sendCommand.bind(client);
  let left = Number.POSITIVE_INFINITY;
  let interruption: () => Promise<void> = async () => {};
  client.sendCommand = async (...values) => {
    if (left-- === 0) await interruption();
    return send(...values);
  };
  return {
    client: client as never,
    interruptAfter(commands, during) {
      left = commands;
      interruption = during;
    },
    close: () => owner.close(),
  };
}

describe("cancelling", () => {
  it.each([0, 1, 2, 3, 4, 5])(
    "never takes away a job that has succeeded, after %d commands",
    async (commands) => {
      const queue = fresh();
      const slow = await interruptible();
      const producer = await bullmqEngine({
        runner: new ObservedJobRunner(),
        connection: slow.client,
        queue,
      });
      const recorder = recordingObserver();
      const runner = new ObservedJobRunner(recorder);
      const connection = { url: redis.url };
      await using consumer = await bullmqEngine({ runner, connection, queue });
      const job = defineJob({ name: "pay", run() {} });
      const options = { idempotencyKey: "order 7" };
      const { id } = await producer.enqueue(job, undefined, options);
      const work = async (): Promise<void> => {
        const worker = await consumer.work({ jobs: [job] });
        await expect.poll(() => recorder.outcomesOf("pay")).toEqual(["succeeded"]);
        await worker.stop();
      };
      slow.interruptAfter(commands, work);
      const isCancelled = await producer.cancel(id);
      // The cancel sends no more commands.
      slow.interruptAfter(Number.POSITIVE_INFINITY, work);
      const hasRun = recorder.runs.length > 0;
      expect(isCancelled).toBe(!hasRun);
      expect(await consumer.stats()).toMatchObject({ succeeded: hasRun ? 1 : 0, cancelled: hasRun ? 0 : 1 });
      expect(await consumer.enqueue(job, undefined, options)).toEqual({ id, isDuplicate: true });
      await producer.close();
      await slow.close();
    },
  );

  it("holds the idempotency key for as long as the job is retained, and no longer", async () => {
    const connection = { url: redis.url };
    const retainSucceededMs = 2_000;
    const runner = new ObservedJobRunner();
    await using engine = await bullmqEngine({ runner, connection, queue: fresh(), retainSucceededMs });
    const job = defineJob({ name: "pay_once", run() {} });
    const options = { idempotencyKey: "order 8" };
    const { id } = await engine.enqueue(job, undefined, options);
    expect(await engine.cancel(id)).toBe(true);
    expect(await engine.enqueue(job, undefined, options)).toEqual({ id, isDuplicate: true });
    expect(await engine.redrive(id)).toBe(false);
    expect(await engine.deadLetters()).toEqual([]);
    await expect.poll(() => engine.enqueue(job, undefined, options)).toEqual({ id, isDuplicate: false });
    expect((await engine.stats()).waiting).toBe(1);
    expect(await engine.cancel(id)).toBe(true);
  });

  it("cancels one run of a schedule, and lets the next ones come", async () => {
    const queue = fresh();
    const connection = { url: redis.url };
    const recorder = recordingObserver();
    await using engine = await bullmqEngine({ runner: new ObservedJobRunner(recorder), connection, queue });
    const job = defineJob({ name: "every_second", run() {} });
    await engine.schedule(job, "* * * * * *", undefined);
    const theirs = new Queue(`${queue}.every_second`, { connection });
    // Due within the second: by now it may be due already.
    const [next] = await theirs.getJobs(["delayed", "waiting"]);
    const id = next?.id as string;
    expect(await engine.cancel(id)).toBe(true);
    expect((await engine.job(id))?.state).toBe("cancelled");
    const [after] = await theirs.getJobs(["delayed", "waiting"]);
    expect(after?.id).not.toBe(id);
    const worker = await engine.work({ jobs: [job] });
    await expect
      .poll(() => recorder.outcomesOf("every_second").slice(0, 2))
      .toEqual(["succeeded", "succeeded"]);
    expect(recorder.runs.map(({ delivery }) => delivery?.jobId)).not.toContain(id);
    await worker.stop();
    await theirs.close();
  });

  it("lets the parent of a flow go on when a child is cancelled", async () => {
    const queue = fresh();
    const connection = { url: redis.url };
    const recorder = recordingObserver();
    await using engine = await bullmqEngine({ runner: new ObservedJobRunner(recorder), connection, queue });
    const jobs = ["parent", "child"].map((name) => defineJob({ name, run() {} }));
    // The children that the engine knows.
    await (await engine.work({ jobs })).stop();
    const flows = new FlowProducer({ connection });
    const { children } = await flows.add({
      name: "parent",
      queueName: `${queue}.parent`,
      children: [{ name: "child", queueName: `${queue}.child`, opts: { ignoreDependencyOnFailure: true } }],
    });
    expect(await engine.cancel(children?.[0]?.job.id ?? "")).toBe(true);
    await engine.work({ jobs });
    await expect.poll(() => recorder.outcomesOf("parent")).toEqual(["succeeded"]);
    expect(recorder.outcomesOf("child")).toEqual(["cancelled"]);
    await flows.close();
  });
});
