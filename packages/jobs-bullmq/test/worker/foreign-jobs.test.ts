import { defineJob } from "@nidus/jobs-durable";
import { ObservedJobRunner } from "@nidus/jobs-observe";
import { prometheusJobObserver } from "@nidus/jobs-prometheus";
import { recordingObserver } from "@nidus/jobs-testkit";
import { Queue } from "bullmq";
import { expect, it } from "vitest";
import { describeEngines } from "../support/describe-engines.ts";

const soon = { timeout: 120_000 };

interface Commands {
  hset(key: string, fields: Record<string, string>): Promise<number>;
  lpush(key: string, id: string): Promise<number>;
  set(key: string, value: string): Promise<unknown>;
  zadd(key: string, score: number, member: string): Promise<number>;
}

describeEngines("what other programs store", ({ bullmqEngine, redis }) => {
  async function open() {
    const queue = `foreign-${crypto.randomUUID()}`;
    const recorder = recordingObserver();
    const metrics = prometheusJobObserver();
    const errors: unknown[] = [];
    const connection = { url: redis().url };
    const engine = await bullmqEngine({
      runner: new ObservedJobRunner([recorder, metrics]),
      connection,
      queue,
      onError: (error) => errors.push(error),
    });
    const theirs = new Queue(`${queue}.send`, { connection });
    const client = (await theirs.client) as unknown as Commands;
    const close = async (): Promise<void> => {
      await theirs.close();
      await engine.close();
    };
    return { queue, recorder, metrics, errors, engine, theirs, client, [Symbol.asyncDispose]: close };
  }

  it.each<[what: string, data: unknown, options: object]>([
    ["a time that is text", { payload: 1, runAtMs: "x" }, {}],
    ["a time beyond all dates", { payload: 1, runAtMs: 1e300 }, {}],
    ["a timestamp beyond all dates", { payload: 1 }, { timestamp: 1e300 }],
    ["attempts below 0", { payload: 1 }, { attempts: -5 }],
    ["data that are a list", [1, 2], {}],
  ])("runs a job with %s, and measures it", async (_what, data, options) => {
    await using opened = await open();
    const { recorder, metrics, engine, theirs } = opened;
    const job = defineJob<unknown>({ name: "send", run() {} });
    await engine.work({ jobs: [job] });
    await theirs.add("send", data, options);
    await expect.poll(() => recorder.outcomesOf("send"), soon).toEqual(["succeeded"]);
    const [delivery] = recorder.settled.map((context) => context.delivery);
    expect(Math.abs(Date.now() - (delivery?.runAt.getTime() ?? 0))).toBeLessThan(60_000);
    expect(Math.abs(Date.now() - (delivery?.enqueuedAt.getTime() ?? 0))).toBeLessThan(60_000);
    expect(delivery?.maxAttempts).toBe(1);
    expect(await metrics.registry.metrics()).not.toContain("NaN");
  });

  it.each<[what: string, fields: Record<string, string>, reason: RegExp]>([
    ["data are no JSON", { data: "{not json" }, /its data are no JSON/],
    ["options are no JSON", { opts: "nope" }, /its options are no JSON/],
    ["parent is no JSON", { parent: "nope", parentKey: "bull:none:1" }, /its parent are no JSON/],
    ["attempts are no numbers", { atm: "zz", stc: "qq" }, /counts of attempts are no numbers/],
    ["starts are no number", { ats: "zz" }, /counts of attempts are no numbers/],
    ["name is missing", { name: "" }, /has no name/],
    ["failure was deferred", { defa: "stalled too often" }, /stalled too often/],
  ])("makes a job whose %s a dead letter that says so, and runs the rest", async (_what, fields, reason) => {
    await using opened = await open();
    const { recorder, metrics, engine, theirs, client } = opened;
    const job = defineJob<unknown>({ name: "send", run() {} });
    await engine.work({ jobs: [job] });
    const plain = { name: "send", data: "{}", opts: "{}", timestamp: "1", delay: "0", priority: "0" };
    await client.hset(theirs.toKey("strange"), { ...plain, ...fields });
    await client.lpush(theirs.toKey("wait"), "strange");
    await client.zadd(theirs.toKey("marker"), 0, "0");
    await expect.poll(() => recorder.outcomesOf("send"), soon).toEqual(["dead-lettered"]);
    expect(recorder.runs).toEqual([]);
    expect(await engine.deadLetters()).toMatchObject([
      { id: "strange", jobName: "send", error: expect.stringMatching(reason) },
    ]);
    await engine.enqueue(job, 1);
    await expect.poll(() => recorder.outcomesOf("send"), soon).toEqual(["dead-lettered", "succeeded"]);
    expect(await metrics.registry.metrics()).not.toContain("NaN");
    expect(await engine.stats()).toMatchObject({ running: 0, deadLettered: 1, succeeded: 1 });
  });

  it("runs the jobs of other names if the keys of one are of another type", async () => {
    await using opened = await open();
    const { queue, recorder, errors, engine, client } = opened;
    const [broken, sound] = ["broken", "sound"].map((name) => defineJob<number>({ name, run() {} }));
    if (broken === undefined || sound === undefined) throw new Error("there are two");
    await client.set(`bull:${queue}.broken:wait`, "text");
    await engine.work({ jobs: [broken, sound], concurrency: 2 });
    await engine.enqueueMany(sound, [1, 2, 3]);
    await expect.poll(() => recorder.outcomesOf("sound"), soon).toEqual(Array(3).fill("succeeded"));
    expect(errors.map(String).join()).toMatch(/WRONGTYPE/);
    expect(errors.length).toBeLessThan(50);
  });

  it("does not hurry attempts of a job without a backoff", async () => {
    await using opened = await open();
    const { recorder, engine, theirs } = opened;
    const job = defineJob({
      name: "send",
      backoff: { baseMs: 60_000, maxMs: 60_000 },
      run() {
        throw new Error("not yet");
      },
    });
    await engine.work({ jobs: [job] });
    await theirs.add("send", {}, { attempts: 5 });
    await expect.poll(() => recorder.outcomesOf("send"), soon).toEqual(["retried"]);
    expect(await theirs.getDelayedCount()).toBe(1);
  });

  it.each(["meta", "id", "events", "wait", "marker", "a:b", "x:lock", " "])(
    "does not take %j for a job's id",
    async (id) => {
      await using opened = await open();
      const { engine } = opened;
      const job = defineJob({ name: "send", run() {} });
      await engine.enqueue(job, undefined);
      await (await engine.work({ jobs: [job] })).stop();
      expect(await engine.cancel(id)).toBe(false);
      expect(await engine.redrive(id)).toBe(false);
    },
  );

  it("lets one of many redrives succeed, and refuses none of them", async () => {
    await using opened = await open();
    const { recorder, engine } = opened;
    const job = defineJob({
      name: "send",
      maxAttempts: 1,
      run() {
        throw new Error("no");
      },
    });
    const { id } = await engine.enqueue(job, undefined);
    await engine.work({ jobs: [job] });
    await expect.poll(() => recorder.outcomesOf("send"), soon).toEqual(["dead-lettered"]);
    const answers = await Promise.all(Array.from({ length: 5 }, () => engine.redrive(id)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    await expect.poll(() => recorder.outcomesOf("send"), soon).toEqual(["dead-lettered", "dead-lettered"]);
    expect(await engine.deadLetters()).toMatchObject([{ id, attempts: 1, error: "no" }]);
  });
});
