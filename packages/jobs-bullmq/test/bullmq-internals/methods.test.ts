import type { Job } from "bullmq";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import {
  type RedisClient,
  readEnds,
  transactionalClient,
  unreadyClientOf,
  versionOf,
  workerOf,
} from "../../src/bullmq-internals/index.ts";
import { ScriptInterceptor } from "../../src/bullmq-internals/script-interceptor.ts";
import { connectionTo, expectUnchanged, majors, plainQueue } from "../support/each-bullmq.ts";

const redis = await sharedRedis();

afterAll(() => redis?.stop());

describe.skipIf(redis === undefined).each(majors)("the methods of BullMQ $version", ({ version, bullmq }) => {
  const unchanged = (subject: string, actual: unknown, expected: unknown): void =>
    expectUnchanged(version, subject, actual, expected);

  it("store jobs through the class that the queue's `Job` names, and the text that its asJSON returns", async () => {
    const calls: string[] = [];
    class WatchedJob extends bullmq.Job {
      override asJSON(): ReturnType<Job["asJSON"]> {
        calls.push("asJSON");
        return { ...super.asJSON(), data: `"${this.name}"` };
      }
    }
    class WatchedQueue extends bullmq.Queue {
      protected override get Job(): typeof Job {
        calls.push("Job");
        return WatchedJob as typeof Job;
      }
    }
    const name = `insides-${crypto.randomUUID()}`;
    const connection = connectionTo(redis);
    const [queue, plain] = [new WatchedQueue(name, { connection }), new bullmq.Queue(name, { connection })];
    try {
      const alone = await queue.add("alone", {});
      unchanged("the calls of add", new Set(calls), new Set(["Job", "asJSON"]));
      calls.length = 0;
      const bulk = await queue.addBulk([{ name: "in bulk", data: {} }]);
      unchanged("the calls of addBulk", new Set(calls), new Set(["Job", "asJSON"]));
      const stored = await Promise.all([alone, ...bulk].map(({ id }) => plain.getJob(id ?? "")));
      unchanged(
        "the data that it stores",
        stored.map((each) => each?.data),
        ["alone", "in bulk"],
      );
    } finally {
      await Promise.all([queue.close(), plain.close()]);
    }
  });

  it("hand out a job through nextJobFromJobData and createJob", async () => {
    const calls: [method: string, ...values: unknown[]][] = [];
    class Watched extends bullmq.Worker {
      protected override async nextJobFromJobData(...values: never[]): Promise<never> {
        calls.push(["nextJobFromJobData", ...values]);
        return (super.nextJobFromJobData as (...values: never[]) => Promise<never>)(...values);
      }
      protected override createJob(
        ...values: Parameters<InstanceType<typeof bullmq.Worker>["createJob"]>
      ): Job {
        calls.push(["createJob", ...values]);
        return super.createJob(...values);
      }
    }
    await using plain = await plainQueue(redis, bullmq, Watched as never);
    const { id } = await plain.queue.add("first", { to: "ada" });
    await plain.take("t1");
    const [given, made] = calls;
    unchanged(
      "the call of nextJobFromJobData",
      [given?.[0], ...(given?.slice(2) ?? [])],
      ["nextJobFromJobData", id, "t1"],
    );
    unchanged(
      "the data of a job that is handed out",
      (given?.[1] as { data?: string })?.data,
      '{"to":"ada"}',
    );
    unchanged("the call of createJob", [made?.[0], made?.[2]], ["createJob", id]);
  });

  it("mark a queue that has a job, or the moment at which its next one is due", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, client, key } = plain;
    const { timestamp } = await queue.add("later", {}, { delay: 60_000 });
    const dueMs = timestamp + 60_000;
    unchanged("the marker of a delayed job", await client.zrange(key("marker"), 0, -1), ["1"]);
    unchanged("its score", Math.floor(Number(await client.zscore(key("marker"), "1"))), dueMs);
    const shared = new bullmq.RedisConnection(connectionTo(redis));
    const interceptor = new ScriptInterceptor((await shared.client) as unknown as RedisClient, {
      offsetMs: 0,
      now: () => Date.now(),
    });
    const connection = interceptor.client as never;
    const worker = new bullmq.Worker(queue.name, null, { connection, autorun: false });
    worker.on("error", () => {});
    expect(await worker.getNextJob("t1", { block: false })).toBeUndefined();
    unchanged("the moment in an answer without a job", interceptor.nextDueMs, dueMs);
    await queue.add("now", {});
    unchanged("the marker of a job", await client.zscore(key("marker"), "0"), "0");
    // The worker has no connection of its own to close.
    await worker.close(true);
    unchanged("the client of a closed worker", await interceptor.client.hgetall(key("none")), {});
    await shared.close();
  });

  it("settle by tokens, and answer with the next job", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, worker, take } = plain;
    await queue.addBulk([1, 2, 3].map((n) => ({ name: `job ${n}`, data: {}, opts: { jobId: `job-${n}` } })));
    const first = await take("t1");
    const answer = (await first.moveToCompleted(null, "t1", true)) as unknown[];
    unchanged("the answer of moveToCompleted", [typeof answer[0], answer[1]], ["object", "job-2"]);
    const second = new bullmq.Job(worker as never, "job", {}, {}, "job-2");
    await second.moveToWait("t1");
    unchanged("moveToWait", (await take("t2")).id, "job-2");
    const failed = (await second.moveToFailed(new bullmq.UnrecoverableError("no"), "t2", true)) as unknown[];
    unchanged("the answer of moveToFailed", failed[1], "job-3");
  });

  it("take the delay of a retry from the backoff that the options name", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const asked: unknown[] = [];
    plain.worker.opts.settings = {
      backoffStrategy: (attempts, type, error) => {
        asked.push(attempts, type, error?.message);
        return 60_000;
      },
    };
    const { id = "" } = await plain.queue.add("retried", {}, { attempts: 2 });
    const job = await plain.take("t1");
    job.opts.backoff = { type: "nidus" };
    await job.moveToFailed(new Error("broken"), "t1", false);
    unchanged("the call of backoffStrategy", asked, [1, "nidus", "broken"]);
    unchanged(
      "the state of a retried job",
      (await plain.client.zscore(plain.key("delayed"), id)) !== null,
      true,
    );
  });

  it("remove a job whose options say so when it fails", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { id = "" } = await plain.queue.add("removed", {});
    const job = await plain.take("t1");
    job.opts.removeOnFail = true;
    await job.moveToFailed(new bullmq.UnrecoverableError("cancelled"), "t1", false);
    unchanged("removeOnFail", await plain.client.type(plain.key(id)), "none");
  });

  it("send commands whose name begins with the script's, and whose first number is the time", async () => {
    const names: string[] = [];
    const times: unknown[] = [];
    const shared = new bullmq.RedisConnection(connectionTo(redis));
    const client = (await shared.client) as unknown as RedisClient;
    const runCommand = (name: string, values: readonly unknown[]): Promise<unknown> => {
      const [script] = name.split(":");
      if (name.includes(":") && /^moveTo(Active|Finished|Delayed)$/.test(script as string)) {
        names.push(script as string);
        times.push(values.find((value) => typeof value === "number"));
      }
      return client.runCommand(name, values);
    };
    const watched = new Proxy(client, {
      get: (target, key) => (key === "runCommand" ? runCommand : Reflect.get(target, key, target)),
    });
    await using plain = await plainQueue(redis, bullmq);
    const worker = new bullmq.Worker(plain.queue.name, null, {
      connection: watched as never,
      autorun: false,
    });
    worker.on("error", () => {});
    await plain.queue.add("first", {});
    await plain.queue.add("second", {});
    const before = Date.now();
    const first = await worker.getNextJob("t1", { block: false });
    await first?.moveToDelayed(before + 60_000, "t1");
    const second = await worker.getNextJob("t2", { block: false });
    await second?.moveToCompleted(null, "t2", false);
    unchanged("the commands", names, ["moveToActive", "moveToDelayed", "moveToActive", "moveToFinished"]);
    unchanged(
      "the time among a command's arguments",
      times.map((time) => Math.abs(Number(time) - before) < 600_000),
      [true, true, true, true],
    );
    await worker.close(true);
    await shared.close();
  });

  it("store jobs in bulk by a pipeline of the client", async () => {
    const shared = new bullmq.RedisConnection(connectionTo(redis));
    const client = (await shared.client) as unknown as RedisClient & { multi(): unknown };
    let transactions = 0;
    const multi = (): unknown => {
      transactions++;
      return client.multi();
    };
    const counted = new Proxy(client, {
      get: (target, key) => (key === "multi" ? multi : Reflect.get(target, key, target)),
    });
    const queue = new bullmq.Queue(`bulk-${crypto.randomUUID()}`, {
      connection: transactionalClient(counted as never),
    });
    await queue.addBulk([1, 2].map((n) => ({ name: `job ${n}`, data: {} })));
    unchanged("the pipeline of addBulk", transactions, 1);
    await queue.close();
    await shared.close();
  });

  it("lead from a connection to its version, and to a client that is not ready", async () => {
    const shared = new bullmq.RedisConnection(connectionTo(redis));
    await shared.client;
    unchanged("the version of a connection", versionOf(shared), version);
    unchanged("the client of a connection", "_client" in shared && unreadyClientOf(shared), undefined);
    await shared.close();
  });

  it("lead from a job to its worker, which reads the ends of other jobs", async () => {
    await using plain = await plainQueue(redis, bullmq);
    await plain.queue.add("ended", {}, { jobId: "ended" });
    const job = await plain.take("t1");
    await job.moveToCompleted(null, "t1", false);
    unchanged("the worker of a job", workerOf(job), plain.worker);
    unchanged("the field of a job's end", await readEnds(job, [plain.key("ended")]), [job.finishedOn]);
  });
});
