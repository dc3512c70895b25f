import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sharedRedis } from "test-servers";
import { afterAll, describe, expect, it } from "vitest";
import { connectionTo, expectUnchanged, majors, plainQueue } from "../support/each-bullmq.ts";

/** The keys of a queue that BullMQ writes, and their types. The tests below check each of them. */
const queueKeyTypes: Readonly<Record<string, string>> = {
  wait: "list",
  paused: "list",
  active: "list",
  delayed: "zset",
  prioritized: "zset",
  completed: "zset",
  failed: "zset",
  stalled: "set",
  marker: "zset",
  events: "stream",
  meta: "hash",
  "de:": "string",
  repeat: "zset",
  "repeat:": "hash",
};

/** The keys beside the hash of a job. */
const jobKeyTypes: Readonly<Record<string, string>> = {
  lock: "string",
  logs: "list",
  dependencies: "set",
  processed: "hash",
  failed: "hash",
  unsuccessful: "zset",
};

/** The fields of a job that BullMQ writes. */
const jobFields =
  "ats atm stc rjk parentKey deid defa data opts progress parent timestamp finishedOn processedOn failedReason returnvalue stacktrace delay priority".split(
    " ",
  );

const redis = await sharedRedis();

afterAll(() => redis?.stop());

/** Splits a score of `prioritized` into the priority and the number that orders its jobs. */
function split(score: number): [priority: number, order: number] {
  return [Math.floor(score / 2 ** 32), score % 2 ** 32];
}

describe.skipIf(redis === undefined).each(majors)("the keys of BullMQ $version", ({ version, bullmq }) => {
  const unchanged = (subject: string, actual: unknown, expected: unknown): void =>
    expectUnchanged(version, subject, actual, expected);

  it("hold waiting jobs, the next one at the right end", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, client, key } = plain;
    const first = await queue.add("first", {}, { deduplication: { id: "only" } });
    await queue.add("second", {});
    unchanged("the key `wait`", await client.type(key("wait")), queueKeyTypes.wait);
    unchanged("the end of `wait`", await client.lindex(key("wait"), -1), first.id);
    unchanged("the key `marker`", await client.type(key("marker")), queueKeyTypes.marker);
    unchanged("the key `events`", await client.type(key("events")), queueKeyTypes.events);
    unchanged("the key `meta`", await client.type(key("meta")), queueKeyTypes.meta);
    unchanged("the key of a deduplication", await client.get(key("de:only")), first.id);
    await queue.pause();
    const [waiting, paused] = [await client.lindex(key("wait"), -1), await client.lindex(key("paused"), -1)];
    unchanged("the list of a paused queue, `wait` or `paused`", waiting ?? paused, first.id);
  });

  it("order delayed jobs by their time, and prioritized jobs by their priority", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, client, key } = plain;
    const delayed = await queue.add("delayed", {}, { delay: 60_000 });
    const score = Number(await client.zscore(key("delayed"), delayed.id as string));
    unchanged("the score of delayed jobs", Math.floor(score / 0x1000), delayed.timestamp + 60_000);
    await queue.add("late", {}, { priority: 9 });
    const urgent = await queue.add("urgent", {}, { priority: 1 });
    unchanged("the order of `prioritized`", (await client.zrange(key("prioritized"), 0, 0))[0], urgent.id);
    const [priority, rest] = split(Number(await client.zscore(key("prioritized"), urgent.id as string)));
    unchanged("the score of prioritized jobs", priority, 1);
    const later = await queue.add("later", {}, { priority: 1 });
    const laterRest = split(Number(await client.zscore(key("prioritized"), later.id as string)))[1];
    unchanged("the order of one priority", laterRest > rest, true);
  });

  it("free a deduplication when its job has ended, unless it has a time of its own", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, client, key, take } = plain;
    const { id } = await queue.add("first", {}, { deduplication: { id: "job" } });
    unchanged(
      "the id of a duplicate",
      (await queue.add("second", {}, { jobId: "second", deduplication: { id: "job" } })).id,
      id,
    );
    await queue.add("timed", {}, { jobId: "timed", deduplication: { id: "time", ttl: 60_000 } });
    for (const token of ["t1", "t2"]) await (await take(token)).moveToCompleted(null, token, false);
    unchanged("the key of a deduplication that has ended", await client.get(key("de:job")), null);
    unchanged("the key of a deduplication for a time", await client.get(key("de:time")), "timed");
  });

  it("hold running and ended jobs", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, worker, client, key, take } = plain;
    const { id = "" } = await queue.add("runs", {});
    const running = await take("t1");
    unchanged("the key `active`", await client.lrange(key("active"), 0, -1), [id]);
    unchanged("the lock of a job", await client.get(key(`${id}:lock`)), "t1");
    await worker.startStalledCheckTimer();
    await expect.poll(() => client.type(key("stalled"))).toBe("set");
    unchanged("the key `stalled`", await client.smembers(key("stalled")), [id]);
    await running.log("a line");
    unchanged("the key of logs", await client.type(key(`${id}:logs`)), jobKeyTypes.logs);
    await running.moveToCompleted("done", "t1", false);
    unchanged(
      "the score of completed jobs",
      await client.zscore(key("completed"), id),
      String(running.finishedOn),
    );
    const fields = await client.hgetall(key(id));
    unchanged("the field of the result", fields.returnvalue, '"done"');
    unchanged("the count of starts", fields.ats, "1");
    unchanged("the count of attempts", fields.atm, "1");
    for (const name of ["data", "opts", "timestamp", "delay", "priority", "processedOn", "finishedOn"])
      unchanged(`the field \`${name}\``, typeof fields[name], "string");

    await queue.add("fails", {}, { jobId: "fails" });
    const failing = await take("t2");
    await failing.moveToFailed(new Error("broken"), "t2", false);
    unchanged(
      "the score of failed jobs",
      await client.zscore(key("failed"), "fails"),
      String(failing.finishedOn),
    );
    const failed = await client.hgetall(key("fails"));
    unchanged("the field of the reason", failed.failedReason, "broken");
    unchanged("the field of the stacks", typeof failed.stacktrace, "string");
  });

  it("tie jobs to their schedule, flow and deduplication", async () => {
    await using plain = await plainQueue(redis, bullmq);
    const { queue, client, key, take } = plain;
    const template = { name: "scheduled", data: { of: "the scheduler" }, opts: { attempts: 2 } };
    await queue.upsertJobScheduler("scheduler", { pattern: "0 3 * * *" }, template);
    const { next = 0 } = (await queue.getJobScheduler("scheduler")) ?? {};
    unchanged("the moment of a scheduler", await client.zscore(key("repeat"), "scheduler"), String(next));
    unchanged("the key of a scheduler", await client.type(key("repeat:scheduler")), queueKeyTypes["repeat:"]);
    unchanged(
      "the field with the data of a scheduler's jobs",
      (await client.hgetall(key("repeat:scheduler"))).data,
      '{"of":"the scheduler"}',
    );
    unchanged(
      "the field with the options of a scheduler's jobs",
      (await client.hgetall(key("repeat:scheduler"))).opts,
      '{"attempts":2}',
    );
    const scheduled = await client.hgetall(key(`repeat:scheduler:${next}`));
    unchanged("the field of the schedule", scheduled.rjk, "scheduler");
    unchanged("the time in a scheduled job's options", JSON.parse(scheduled.opts ?? "{}").prevMillis, next);
    await queue.add("deduplicated", {}, { jobId: "alone", deduplication: { id: "only" } });
    unchanged("the field of the deduplication", (await client.hgetall(key("alone"))).deid, "only");
    await (await take("t0")).moveToCompleted(null, "t0", false);

    const flow = new bullmq.FlowProducer({ connection: connectionTo(redis) });
    const children = ["ok", "ignored", "dropped", "fails", "open"];
    await flow.add({
      name: "parent",
      queueName: queue.name,
      opts: { jobId: "parent" },
      children: children.map((name) => ({
        name,
        queueName: queue.name,
        opts: {
          jobId: name,
          ...(name === "ignored" && { ignoreDependencyOnFailure: true }),
          ...(name === "fails" && { failParentOnFailure: true }),
        },
      })),
    });
    await flow.close();
    const child = await client.hgetall(key("ok"));
    unchanged("the field of the parent's key", child.parentKey, key("parent"));
    unchanged("the field of the parent", typeof child.parent, "string");
    for (const name of ["ok", "ignored", "dropped", "fails"]) {
      const job = await take(name);
      await (job.name === "ok"
        ? job.moveToCompleted(null, name, false)
        : job.moveToFailed(new Error(job.name), name, false));
    }
    const types = async (...names: string[]) =>
      Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await client.type(key(`parent:${name}`))])),
      );
    const names = ["dependencies", "processed", "failed", "unsuccessful"];
    unchanged(
      "the keys of a parent",
      await types(...names),
      Object.fromEntries(names.map((name) => [name, jobKeyTypes[name]])),
    );
  });
});

describe.skipIf(redis === undefined).each(majors)("the fields of BullMQ $version", ({ version, bullmq }) => {
  it("become the properties of a job", async () => {
    await using plain = await plainQueue(redis, bullmq);
    await plain.queue.add("counted", {}, { jobId: "counted" });
    const fields = { ats: "5", atm: "3", stc: "2", defa: "deferred", rjk: "schedule", deid: "only" };
    await plain.client.hset(plain.key("counted"), fields);
    const job = await plain.queue.getJob("counted");
    expectUnchanged(
      version,
      "a field of a job",
      [
        job?.attemptsStarted,
        job?.attemptsMade,
        job?.stalledCounter,
        job?.deferredFailure,
        job?.repeatJobKey,
        job?.deduplicationId,
      ],
      [5, 3, 2, "deferred", "schedule", "only"],
    );
  });
});

describe("the scripts in src/bullmq-internals", () => {
  const folder = join(import.meta.dirname, "../../src");
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => [file, readFileSync(join(folder, file), "utf8")] as const);
  const internals = sources.filter(([file]) => file.startsWith("bullmq-internals"));
  const found = (pattern: RegExp): string[] => [
    ...new Set(
      internals.flatMap(([, text]) => [...text.matchAll(pattern)].map(([, name]) => name as string)),
    ),
  ];

  it("use only keys and fields that the tests above know", () => {
    expect(found(/\bkeys \.\. '([^']+)'/g).filter((name) => !(name in queueKeyTypes))).toEqual([]);
    expect(
      found(/\b(?:job|parent|id|ARGV\[i\]) \.\. ':([^']+)'/g).filter((name) => !(name in jobKeyTypes)),
    ).toEqual([]);
    const fields = found(/'([a-z]\w*[a-z])'(?=[,)])/gi).filter((name) => !/^nidus|^[A-Z]+$/.test(name));
    const words = [
      "delayed",
      "prioritized",
      "wait",
      "paused",
      "active",
      "completed",
      "failed",
      "event",
      "waiting",
      "removed",
      "jobId",
      "prev",
      "table",
      "string",
      "succeeded",
      "scheduled",
      "running",
      "cancelled",
      "opts.maxLenEvents",
      "held",
      "recorded",
      "lost",
      "removeOnComplete",
      "removeOnFail",
      "pending",
      "cancelled",
      "unknown",
    ];
    expect(
      fields.filter((name) => ![...jobFields, ...words, ...Object.keys(queueKeyTypes)].includes(name)),
    ).toEqual([]);
  });

  it("are the only ones that read BullMQ's keys", () => {
    const others = sources.filter(
      ([file, text]) => !file.startsWith("bullmq-internals") && /redis\.p?call\('(?!TIME)/.test(text),
    );
    expect(others.map(([file]) => file)).toEqual([]);
  });
});
