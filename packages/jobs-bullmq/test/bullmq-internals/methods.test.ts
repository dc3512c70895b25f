import type { Job } from "bullmq";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { AddCommand } from "../../src/bullmq-internals/add-command.ts";
import {
  type RedisClient,
  readEnds,
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

  it("add a job with one command, which has the packed arguments with its id, its data and its packed options", async () => {
    const commands: [name: string, values: readonly unknown[]][] = [];
    const shared = new bullmq.RedisConnection(connectionTo(redis));
    const client = (await shared.client) as unknown as RedisClient;
    const runCommand = async (name: string, values: readonly unknown[]): Promise<string> => {
      commands.push([name.split(":")[0] as string, values]);
      return "the answer";
    };
    const watched = new Proxy(client, {
      get: (target, key) => (key === "runCommand" ? runCommand : Reflect.get(target, key, target)),
    });
    const queue = new bullmq.Queue("insides", { connection: watched as never });
    for (const options of [{}, { delay: 60_000 }, { priority: 1 }]) {
      commands.length = 0;
      const jobId = crypto.randomUUID();
      const { id } = await queue.add("job", "the data", { ...options, jobId });
      unchanged("the id of an added job", id, "the answer");
      const [[command = "", values = []] = []] = commands;
      unchanged("the commands of add", commands.length, 1);
      unchanged(
        "the name of a command that adds",
        /^add(Standard|Delayed|Prioritized)Job$/.test(command),
        true,
      );
      const [packed, data, packedOptions] = values.slice(-3) as [Buffer, string, Buffer];
      unchanged("the data of the command", data, '"the data"');
      unchanged("the place of the id", packed.includes(`\xd9\x24${jobId}`, 0, "latin1"), true);
      unchanged("the packed options", Buffer.isBuffer(packedOptions), true);
    }
    await queue.close();
    await shared.close();
  });

  it("add a job with a command that can be repeated for another id at another time", async () => {
    const made: AddCommand[] = [];
    const shared = new bullmq.RedisConnection(connectionTo(redis));
    const client = (await shared.client) as unknown as RedisClient;
    const id = crypto.randomUUID();
    const runCommand = async (name: string, values: readonly unknown[]): Promise<string> => {
      made.push(new AddCommand(name, values, id));
      return id;
    };
    const watched = new Proxy(client, {
      get: (target, key) => (key === "runCommand" ? runCommand : Reflect.get(target, key, target)),
    });
    const queue = new bullmq.Queue("insides", { connection: watched as never });
    for (const options of [{}, { priority: 1 }]) {
      made.length = 0;
      await queue.add("job", "the data", { ...options, jobId: id });
      const [command] = made;
      unchanged("where the id and the time are", command?.isRepeatable, true);
      const other = crypto.randomUUID();
      const { packed, packedOptions } = command?.packedFor(other) ?? {};
      unchanged("the place of the id", packed?.includes(`\xd9\x24${other}`, 0, "latin1"), true);
      unchanged("the place of the id in the options", packedOptions?.includes(other), true);
      unchanged("the length of the arguments", packed?.length, command?.job.packed.length);
    }
    await queue.close();
    await shared.close();
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
